/** `PAR1`, at both ends of a file. */
export const FILE_MAGIC: Uint8Array = Uint8Array.of(0x50, 0x41, 0x52, 0x31)
