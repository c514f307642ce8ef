/** The names of the log formats. */

/** The formats, as in src/log/formats/registry.ts: named here so that the help does not load them. */
export const FORMAT_NAMES = [
  'delivery',
  'cloudfront',
  'cloudfront-realtime',
  'w3c',
  'nginx',
  'apache',
  'akamai',
  'cloudflare',
  'fastly',
  'json',
] as const
