const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

/** RFC 3720, appendix B.4 (Castagnoli). Not the library that keyturn uses: the two have to agree. */
export const crc32c = (bytes: Uint8Array): number =>
  (bytes.reduce((crc, byte) => (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0
