/** Reaches the Envoys' own listeners, which are on 127.0.0.1 in their pods. */
import type { Child } from "../io/child.ts";
import { pause } from "../io/wait.ts";
import { EnvoyAdmin } from "./envoy_admin.ts";
import { freePort } from "./free_port.ts";
import type { Kubectl } from "./kubectl.ts";

/** Where these listeners are in every pod, by envoy.yaml. */
const ADMIN_PORT = 9901;
const L4_PORT = 5001;

/** After kubectl has ended, as it does when the pod's container restarts. */
const AGAIN_MS = 300;

/** Local ports that lead to one Envoy at a time. */
interface Seat {
  readonly adminPort: number;
  readonly l4Port: number;
  readonly admin: EnvoyAdmin;
  /** Increases with each Envoy, even if it is the same one again. */
  turn: number;
  pod?: string;
  child?: Child;
  isOpen?: boolean;
}

/**
 * Forwards ports of this machine to every Envoy: the first has the ports that
 * were asked for, the others free ones.
 */
export class EnvoyForwards {
  readonly #kubectl: Kubectl;
  readonly #seats: Seat[] = [];
  readonly #taken: Set<number>;
  #isClosed = false;

  /** @param first The first Envoy's ports. */
  constructor(
    kubectl: Kubectl,
    first: { readonly adminPort: number; readonly l4Port: number },
  ) {
    this.#kubectl = kubectl;
    this.#taken = new Set([first.adminPort, first.l4Port]);
    this.#seats.push(seatAt(first.adminPort, first.l4Port));
  }

  /** The admin interfaces that can be asked. */
  get admins(): readonly EnvoyAdmin[] {
    return this.#seats.filter(({ isOpen }) => isOpen)
      .map(({ admin }) => admin);
  }

  /** The admin interface of an Envoy; undefined while it has none. */
  adminOf(pod: string): EnvoyAdmin | undefined {
    return this.#seats.find((seat) => seat.isOpen && seat.pod === pod)?.admin;
  }

  /** Forwards to these pods and to no others. */
  lead(pods: readonly string[]): void {
    for (const seat of this.#seats) {
      if (seat.pod === undefined || pods.includes(seat.pod)) continue;
      this.#leave(seat);
    }
    const [first] = this.#seats;
    const moved = this.#seats.findLast(({ pod }) => pod !== undefined);
    // The ports that were asked for always lead somewhere.
    if (first?.pod === undefined && moved !== undefined) this.#leave(moved);
    for (const pod of pods) {
      if (this.#seats.some((seat) => seat.pod === pod)) continue;
      let seat = this.#seats.find((one) => one.pod === undefined);
      if (seat === undefined) {
        const port = freePort(this.#taken);
        seat = seatAt(port, port + 1);
        this.#seats.push(seat);
      }
      seat.pod = pod;
      seat.turn += 1;
      void this.#forward(seat, pod, seat.turn);
    }
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const children = this.#seats.flatMap(({ child }) => child ?? []);
    this.#seats.forEach((seat) => this.#leave(seat));
    await Promise.all(children.map(({ exited }) => exited));
  }

  #leave(seat: Seat): void {
    delete seat.pod;
    seat.isOpen = false;
    seat.child?.kill("SIGTERM");
  }

  async #forward(seat: Seat, pod: string, turn: number): Promise<void> {
    const isItsTurn = () => seat.pod === pod && seat.turn === turn;
    await seat.child?.exited; // It has the ports until then.
    while (!this.#isClosed && isItsTurn()) {
      const child = this.#kubectl.start([
        ...["port-forward", "--address=127.0.0.1", `pod/${pod}`],
        `${seat.adminPort}:${ADMIN_PORT}`,
        `${seat.l4Port}:${L4_PORT}`,
      ], (line) => {
        // The second of its two lines.
        const isOpen = line.includes(`127.0.0.1:${seat.l4Port} `);
        if (isOpen && isItsTurn()) seat.isOpen = true;
      });
      seat.child = child;
      await child.exited;
      if (!isItsTurn()) return;
      seat.isOpen = false;
      await pause(AGAIN_MS);
    }
  }
}

function seatAt(adminPort: number, l4Port: number): Seat {
  const admin = new EnvoyAdmin(`127.0.0.1:${adminPort}`);
  return { adminPort, l4Port, admin, turn: 0 };
}
