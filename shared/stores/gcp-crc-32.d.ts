// The package has types for its CRC-32 alone.
declare module 'crc-32/crc32c.js' {
  const crc32c: { buf(bytes: Uint8Array): number }
  export = crc32c
}
