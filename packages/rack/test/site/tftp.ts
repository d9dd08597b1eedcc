import { type Endpoint, listen, type Port } from "@firstlight/datagram";
import { isMalformed } from "@firstlight/wire";
import { decode, encode, type Message } from "@firstlight/wire/tftp";

export interface TftpServer extends AsyncDisposable {
  readonly port: Port;
  /** How transfers ended: `snponly.efi ERROR 8`, `snponly.efi sent`. */
  readonly ends: string[];
}

interface Transfer {
  readonly file: string;
  readonly blockBytes: number;
  readonly window: number;
}

/** A TFTP server on one port for all transfers, each known by its client's port. */
export async function openTftp(files: ReadonlyMap<string, Uint8Array>): Promise<TftpServer> {
  const port = await listen({ address: 0x7f000001, port: 0, engine: "dgram" });
  const ends: string[] = [];
  const transfers = new Map<string, Transfer>();
  const serving = (async () => {
    for await (const batch of port) {
      for (const { bytes, from } of batch) {
        const message = decode(bytes.slice());
        if (!isMalformed(message)) serve(message, from);
      }
    }
  })();
  const say = (message: Message, to: Endpoint): void => port.send(encode(message), to);

  function serve(message: Message, from: Endpoint): void {
    const key = `${from.address}:${from.port}`;
    const transfer = transfers.get(key);
    if (message.is === "RRQ") {
      const bytes = files.get(message.file);
      if (!bytes) return say({ is: "ERROR", code: 1, message: "no such file" }, from);
      const asked = message.options;
      transfers.set(key, {
        file: message.file,
        blockBytes: Number(asked.get("blksize") ?? 512),
        window: Number(asked.get("windowsize") ?? 1),
      });
      const agreed = new Map(
        [...asked].map(([name, value]) => [name, name === "tsize" ? String(bytes.length) : value]),
      );
      say({ is: "OACK", options: agreed }, from);
    } else if (message.is === "ERROR") {
      ends.push(`${transfer?.file} ERROR ${message.code}`);
    } else if (message.is === "ACK" && transfer) {
      const { file, blockBytes, window } = transfer;
      const bytes = files.get(file)!;
      const last = Math.floor(bytes.length / blockBytes) + 1;
      if (message.block === last) ends.push(`${file} sent`);
      for (let block = message.block + 1; block <= Math.min(last, message.block + window); block++) {
        say({ is: "DATA", block, data: bytes.subarray((block - 1) * blockBytes, block * blockBytes) }, from);
      }
    }
  }

  return {
    port,
    ends,
    [Symbol.asyncDispose]: async () => {
      await port.close();
      await serving;
    },
  };
}
