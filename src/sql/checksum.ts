import { hash } from "node:crypto";

/**
 * `sha256:<hex>` over a file's content with CRLF made LF and a leading byte order mark left out, so that a checkout on
 * another system has the same checksum. Bytes and their UTF-8 text have the same one.
 */
export function checksumOf(content: Uint8Array | string): string {
  return `sha256:${hash("sha256", typeof content === "string" ? plainText(content) : plainBytes(content), "hex")}`;
}

function plainText(text: string): string {
  const withoutMark = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  return withoutMark.includes("\r\n") ? withoutMark.replaceAll("\r\n", "\n") : withoutMark;
}

function plainBytes(bytes: Uint8Array): Uint8Array {
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const content = marked ? bytes.subarray(3) : bytes;
  let from = content.indexOf(13);
  if (from === -1) return content;
  const plain = new Uint8Array(content.length);
  plain.set(content.subarray(0, from));
  let length = from;
  for (; from < content.length; from += 1) {
    if (content[from] === 13 && content[from + 1] === 10) continue;
    plain[length] = content[from]!;
    length += 1;
  }
  return plain.subarray(0, length);
}
