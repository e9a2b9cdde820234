import assert from "node:assert/strict";
import {
  decodeLook,
  encodeLook,
  type Figures,
  FIGURES_MAX,
  ITEMS,
  versionNumber,
  versionOfNumber,
} from "./code.ts";

const FIGURES: Figures = {
  ...{ version: 10_203, cores: 8, memory64Mib: 120, disk256Mib: 400 },
  ...{ callsPerS: 300, p99Ms: 12 },
};

for (
  const [what, look] of [
    ["all fine", { fine: new Set(ITEMS), figures: FIGURES }],
    ["nothing fine", { fine: new Set([]), figures: FIGURES }],
    ["ports taken", {
      fine: new Set(ITEMS.filter((item) => item !== "ports")),
      figures: FIGURES,
    }],
    ["the most of everything", { fine: new Set(ITEMS), figures: FIGURES_MAX }],
  ] as const
) {
  Deno.test(`decodeLook() reads what encodeLook() writes: ${what}`, () => {
    const code = encodeLook(look);
    assert.match(code, /^GD1(-[0-9A-Z]{1,5})+$/);
    assert.ok(code.length <= 32, code);
    assert.deepEqual(decodeLook(code), look);
  });
}

Deno.test("encodeLook() cuts figures at what a code can hold", () => {
  const figures = { ...FIGURES, cores: 1000, p99Ms: -1, callsPerS: 299.9 };
  const found = decodeLook(encodeLook({ fine: new Set(), figures })).figures;
  assert.deepEqual(found, {
    ...{ ...FIGURES, cores: 255, p99Ms: 0, callsPerS: 299 },
  });
});

Deno.test("decodeLook() reads a code as people type it", () => {
  const look = { fine: new Set(ITEMS), figures: FIGURES };
  const code = encodeLook(look);
  const typed = ` ${code.toLowerCase().replaceAll("-", " ")} `
    .replaceAll("0", "o").replaceAll("1", "l").replace("gdl", "gd1");
  assert.notEqual(typed, code);
  assert.deepEqual(decodeLook(typed), look);
});

Deno.test("decodeLook() notices every single wrong letter, and every swap of neighbours", () => {
  const code = encodeLook({ fine: new Set(ITEMS), figures: FIGURES })
    .replaceAll("-", "");
  let wrong = 0;
  for (let at = 3; at < code.length; at += 1) {
    for (const letter of "0123456789ABCDEFGHJKMNPQRSTVWXYZ") {
      if (letter === code[at]) continue;
      const other = code.slice(0, at) + letter + code.slice(at + 1);
      assert.throws(() => decodeLook(other), { name: "RangeError" }, other);
      wrong += 1;
    }
    const [a = "", b = ""] = code.slice(at, at + 2);
    if (a === b || b === "") continue;
    const swapped = code.slice(0, at) + b + a + code.slice(at + 2);
    assert.throws(() => decodeLook(swapped), { name: "RangeError" }, swapped);
  }
  assert.ok(wrong > 500);
});

for (
  const [text, message] of [
    ["", "must begin with GD1"],
    ["GD2-00000", "must begin with GD1"],
    ["GD1-00000", "must have 21 letters behind GD1"],
    [
      "GD1-UUUUU-UUUUU-UUUUU-UUUUU-U",
      "must have no letter wrong, as this one has",
    ],
  ] as const
) {
  Deno.test(`decodeLook() refuses "${text}"`, () => {
    assert.throws(() => decodeLook(text), { name: "RangeError", message });
  });
}

Deno.test("versionNumber() and versionOfNumber() are each other's reverse", () => {
  for (const version of ["0.1.0", "1.2.3", "99.99.99"]) {
    assert.equal(versionOfNumber(versionNumber(version)), version);
  }
});
