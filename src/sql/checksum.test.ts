import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checksumOf } from "./checksum.ts";

describe("checksumOf", () => {
  it("is the sha256 of the content", () => {
    expect(checksumOf("abc")).toBe("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
  it("knows no difference between line ends, with or without a byte order mark, as text or bytes", () => {
    const one = checksumOf("é\nb\n");
    for (const text of ["é\r\nb\r\n", "\ufeffé\nb\n", "\ufeffé\r\nb\n"]) {
      expect(checksumOf(text)).toBe(one);
      expect(checksumOf(Buffer.from(text))).toBe(one);
    }
  });
  it("keeps a carriage return that ends no line, and a mark inside", () => {
    expect(checksumOf("a\rb")).not.toBe(checksumOf("ab"));
    expect(checksumOf("a\ufeffb")).not.toBe(checksumOf("ab"));
  });
  it("is the same for text and its bytes", () => {
    const piece = fc.constantFrom("\r", "\n", "\ufeff", "é", "x");
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        expect(checksumOf(Buffer.from(pieces.join("")))).toBe(checksumOf(pieces.join("")));
      }),
    );
  });
});
