import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeFrame, type Frame, FrameDecoder, maxPayload, ProtocolError } from "../../src/link/frames.ts";

const frames = fc.array(
  fc.record({
    type: fc.nat(255),
    stream: fc.nat(0xffffffff),
    payload: fc.uint8Array({ maxLength: 600 }),
  }),
  { maxLength: 12 },
);

function drain(decoder: FrameDecoder): Frame[] {
  const found: Frame[] = [];
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
    found.push({ ...frame, payload: frame.payload.slice() });
  }
  return found;
}

test("frames come out of any split of their bytes as they went in", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }), (sent, cuts) => {
      const bytes = Buffer.concat(
        sent.map(({ type, stream, payload }) => encodeFrame(type, stream, payload)),
      );
      const decoder = new FrameDecoder();
      const found: Frame[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = cuts[turn % cuts.length] ?? 1;
        decoder.push(Uint8Array.from(bytes.subarray(at, at + size)));
        at += size;
        found.push(...drain(decoder));
      }
      expect(found).toEqual(sent);
    }),
  );
});

test("payloads that were handed out stay as they are while more comes in", () => {
  fc.assert(
    fc.property(frames, fc.integer({ min: 1, max: 64 }), (sent, size) => {
      const bytes = Buffer.concat(
        sent.map(({ type, stream, payload }) => encodeFrame(type, stream, payload)),
      );
      const decoder = new FrameDecoder();
      const found: Frame[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        decoder.push(Uint8Array.from(bytes.subarray(at, at + size)));
        for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) found.push(frame);
      }
      expect(found.map(({ payload }) => [...payload])).toEqual(sent.map(({ payload }) => [...payload]));
    }),
  );
});

test("a frame over the limit is an error as soon as its header is there", () => {
  const header = Uint8Array.of(0, 16, 1, 3, 0, 0, 0, 1);
  const decoder = new FrameDecoder(4096);
  decoder.push(header.subarray(0, 7));
  expect(decoder.next()).toBeUndefined();
  decoder.push(header.subarray(7));
  expect(() => decoder.next()).toThrow(ProtocolError);
});

test("a frame at the limit is none, and one over it cannot be made", () => {
  const decoder = new FrameDecoder();
  decoder.push(encodeFrame(3, 7, new Uint8Array(maxPayload)));
  expect(decoder.next()).toMatchObject({ type: 3, stream: 7, payload: { length: maxPayload } });
  expect(() => encodeFrame(3, 7, new Uint8Array(maxPayload + 1))).toThrow(RangeError);
});
