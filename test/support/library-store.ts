/** A store as programs open it, for the tests of the library. */
import { openStore, type Store } from 'byteledger'

/** Opens the store at `path` for each act, and closes it. */
export function storeAt(path: string): (act: (store: Store) => Promise<void>) => Promise<void> {
  return async (act) => {
    const store = await openStore(path)
    try {
      await act(store)
    } finally {
      store.close()
    }
  }
}
