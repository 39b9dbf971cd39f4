import { createServer, connect, type AddressInfo, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** When a connection is cut: as the message comes from the client, or once the server has answered it. */
export type CutWhen = "before" | "after";

export interface Cut {
  /** Of the text of a query that the client sends in the simple protocol, or of its Parse message. */
  readonly matches: (sql: string) => boolean;
  /** `before`: the server never gets the message. `after`: the server is done with it, and the client never learns of it. */
  readonly when: CutWhen;
  /** How many connections are cut; left out: 1. */
  readonly times?: number;
}

export interface CuttingProxy {
  /** The database's URL through the proxy. */
  readonly url: string;
  /** Texts of the messages at which it has cut. */
  readonly cuts: readonly string[];
  /** Refuses whoever connects, until it is called with false. */
  refuse(refusing: boolean): void;
  /** Lets nothing through any more in either direction, and answers nobody who connects: the server's machine is gone. */
  freeze(): void;
  /** Cuts every connection that is open now. */
  cutAll(): void;
}

/**
 * Stands between a client and a server for the running test and loses connections at a message of the frontend protocol
 * (PostgreSQL manual 55.2): to a client that is the loss of a network, to a server a client that vanished.
 */
export async function cuttingProxy(url: string, cut: Cut): Promise<CuttingProxy> {
  const upstream = new URL(url);
  const cuts: string[] = [];
  const open = new Set<Socket>();
  let refusing = false;
  let frozen = false;
  const server = createServer((client) => {
    if (frozen) {
      open.add(client.on("error", () => undefined));
      return;
    }
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
    const backend = connect(Number(upstream.port || 5432), upstream.hostname);
    for (const socket of [client, backend]) {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
      socket.on("error", () => undefined);
    }
    const lose = (): void => {
      client.resetAndDestroy();
      backend.destroy();
    };
    client.on("close", () => backend.destroy());
    backend.on("close", () => client.destroy());

    /** ReadyForQuery answers: one to the start-up, one to each query and Sync. */
    let [asked, answered] = [1, 0];
    let losesAt = Infinity;
    const fromClient = framing(false);
    const fromServer = framing(true);
    client.on("data", (data) => {
      if (frozen) return;
      for (const frame of fromClient(data)) {
        if (losesAt !== Infinity) return;
        const text = queryText(frame);
        if (frame.type === "Q" || frame.type === "S") asked += 1;
        if (text !== null && cuts.length < (cut.times ?? 1) && cut.matches(text)) {
          cuts.push(text);
          if (cut.when === "before") return lose();
          losesAt = frame.type === "Q" ? asked : asked + 1;
        }
        backend.write(frame.bytes);
      }
    });
    backend.on("data", (data) => {
      if (frozen) return;
      for (const frame of fromServer(data)) {
        if (answered >= losesAt - 1) {
          if (frame.type === "Z") return lose();
          continue;
        }
        if (frame.type === "Z") answered += 1;
        client.write(frame.bytes);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cutAll = (): void => {
    for (const socket of open) socket.destroy();
  };
  onTestFinished(() => {
    cutAll();
    server.close();
  });
  const own = new URL(url);
  own.hostname = "127.0.0.1";
  own.port = String((server.address() as AddressInfo).port);
  own.searchParams.set("sslmode", "disable");
  return {
    url: own.href,
    cuts,
    cutAll,
    freeze: () => {
      frozen = true;
    },
    refuse: (next) => {
      refusing = next;
    },
  };
}

interface Frame {
  /** Empty for the messages of a start-up, which have no type. */
  readonly type: string;
  readonly bytes: Buffer;
}

/** Cuts a stream into messages (manual 55.7): a type and a length that counts itself; a client's first one has no type. */
function framing(typed: boolean): (data: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0);
  let hasType = typed;
  return (data) => {
    rest = Buffer.concat([rest, data]);
    const frames: Frame[] = [];
    for (;;) {
      const head = hasType ? 1 : 0;
      if (rest.length < head + 4) return frames;
      const length = head + rest.readInt32BE(head);
      if (rest.length < length) return frames;
      const bytes = rest.subarray(0, length);
      frames.push({ type: hasType ? bytes.toString("latin1", 0, 1) : "", bytes });
      rest = rest.subarray(length);
      hasType = true;
    }
  };
}

function queryText({ type, bytes }: Frame): string | null {
  if (type === "Q") return bytes.toString("utf8", 5, bytes.length - 1);
  if (type !== "P") return null;
  const name = bytes.indexOf(0, 5);
  return bytes.toString("utf8", name + 1, bytes.indexOf(0, name + 1));
}
