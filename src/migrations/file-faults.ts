import { codeOf, messageOf } from "./system-error.ts";

/** How two ids clash that a file system may take for one. */
export function clashOf(first: string, second: string): string {
  return first === second ? "have the same id" : "have ids that differ only in case, or look the same";
}

/** What bytes that are not UTF-8 are. */
export function encodingFault(bytes: Buffer): string {
  const utf16 =
    bytes.length >= 2 &&
    ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff));
  return utf16 ? "is UTF-16, not UTF-8" : "is not valid UTF-8";
}

/** Why a file in a folder could not be read, in words of the person who put it there. */
export function readFault(error: unknown): string {
  switch (codeOf(error)) {
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "ENOENT":
      return "it is a link to a file that does not exist";
    case "ELOOP":
      return "it is a link that leads back to itself";
    default:
      return messageOf(error);
  }
}

/** A name as it can be shown on a terminal: control characters as `\u{…}`. */
export function printable(name: string): string {
  return name.replaceAll(/[\p{Cc}\p{Cf}]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
}
