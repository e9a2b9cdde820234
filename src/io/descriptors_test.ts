import assert from "node:assert/strict";
import ofProtoc from "./_protoc.json" with { type: "json" };
import { readFile } from "./_protoc.ts";
import { describeFile } from "./descriptors.ts";
import { PROTO_FILES } from "./proto.ts";

Deno.test("describeFile() makes of our files what protoc makes of them", () => {
  assert.deepEqual(
    Object.entries(PROTO_FILES)
      .map(([name, text]) => readFile(describeFile(name, text))),
    ofProtoc,
  );
});

const SAMPLE = `// The license.

syntax = "proto3";

package a.b;

option java_package = "c";

// Not above anything.

enum Color {
  RED = 0;  // Said behind RED.
  // Said above BLUE,
  //   in two lines.
  BLUE = 5;
}

message Outer {
  optional string early = 9;
  oneof choice {
    // In a oneof.
    Inner first_one = 1;
    bytes second__one = 2;
  }
  message Inner { repeated sint64 many_numbers = 1; }
  map<string, Inner> by_name = 3;
  repeated Color colors = 4;
  optional Color late = 5;
}

service S {
  // Both ways.
  rpc Both(stream Outer) returns (stream Outer.Inner);
  rpc None(Outer) returns (Outer);
}
`;

/**
 * What protoc 3.21.12 makes of it, but for indents in comments, and for one
 * behind a value, which protoc tells from one above it.
 */
const DESCRIBED = {
  name: "a/b.proto",
  package: "a.b",
  messageType: [{
    name: "Outer",
    field: [{
      name: "early",
      number: 9,
      label: 1,
      type: 9,
      oneofIndex: 1,
      jsonName: "early",
      proto3Optional: true,
    }, {
      name: "first_one",
      number: 1,
      label: 1,
      type: 11,
      typeName: ".a.b.Outer.Inner",
      oneofIndex: 0,
      jsonName: "firstOne",
    }, {
      name: "second__one",
      number: 2,
      label: 1,
      type: 12,
      oneofIndex: 0,
      jsonName: "secondOne",
    }, {
      name: "by_name",
      number: 3,
      label: 3,
      type: 11,
      typeName: ".a.b.Outer.ByNameEntry",
      jsonName: "byName",
    }, {
      name: "colors",
      number: 4,
      label: 3,
      type: 14,
      typeName: ".a.b.Color",
      jsonName: "colors",
    }, {
      name: "late",
      number: 5,
      label: 1,
      type: 14,
      typeName: ".a.b.Color",
      oneofIndex: 2,
      jsonName: "late",
      proto3Optional: true,
    }],
    nestedType: [{
      name: "Inner",
      field: [{
        name: "many_numbers",
        number: 1,
        label: 3,
        type: 18,
        jsonName: "manyNumbers",
      }],
    }, {
      name: "ByNameEntry",
      field: [{
        name: "key",
        number: 1,
        label: 1,
        type: 9,
        jsonName: "key",
      }, {
        name: "value",
        number: 2,
        label: 1,
        type: 11,
        typeName: ".a.b.Outer.Inner",
        jsonName: "value",
      }],
      options: { mapEntry: true },
    }],
    oneofDecl: [{ name: "choice" }, { name: "_early" }, {
      name: "_late",
    }],
  }],
  enumType: [{
    name: "Color",
    value: [{ name: "RED", number: 0 }, { name: "BLUE", number: 5 }],
  }],
  service: [{
    name: "S",
    method: [{
      name: "Both",
      inputType: ".a.b.Outer",
      outputType: ".a.b.Outer.Inner",
      clientStreaming: true,
      serverStreaming: true,
    }, {
      name: "None",
      inputType: ".a.b.Outer",
      outputType: ".a.b.Outer",
    }],
  }],
  options: { javaPackage: "c" },
  syntax: "proto3",
  comments: {
    "4.0.2.1": " In a oneof.\n",
    "5.0.2.0": " Said behind RED.\n",
    "5.0.2.1": " Said above BLUE,\n in two lines.\n",
    "6.0.2.0": " Both ways.\n",
  },
};

Deno.test("describeFile() knows enums, maps, oneofs and nested messages", () => {
  assert.deepEqual(readFile(describeFile("a/b.proto", SAMPLE)), DESCRIBED);
});

for (
  const [what, text] of [
    ["imports of a.proto", 'import "b.proto";'],
    ["reserved or extension ranges of .M", "message M { reserved 1; }"],
    ["options of .M.f", "message M { int32 f = 1 [deprecated = true]; }"],
  ] as const
) {
  Deno.test(`describeFile() refuses the ${what}`, () => {
    const source = `syntax = "proto3";\n${text}\n`;
    assert.throws(() => describeFile("a.proto", source), {
      name: "RangeError",
      message: `Cannot describe the ${what}`,
    });
  });
}

Deno.test("describeFile() refuses a file that is not proto3", () => {
  assert.throws(() => describeFile("a.proto", "message M {}\n"), {
    name: "RangeError",
    message: "Cannot describe the syntax of a.proto",
  });
});
