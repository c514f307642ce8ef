/** Logs that lie on a server: how they are told from paths, and how they are shown. */

const REMOTE = /^(?:https?|s3):\/\//i
/** What a query may hold that is nobody's business can have any name, so no value of it is shown. */
const HIDDEN = '…'

/** Whether the name of an input is a URL that can be read. */
export function isRemote(name: string): boolean {
  return REMOTE.test(name)
}

/** The URL without what may be secret: user name and password, the values of its query, its fragment. */
export function showRemote(url: URL): string {
  const names = [...new Set(url.searchParams.keys())].map((name) => `${encodeURIComponent(name)}=${HIDDEN}`)
  const query = names.length === 0 ? '' : `?${names.join('&')}`
  return `${url.protocol}//${url.host}${url.pathname}${query}`
}
