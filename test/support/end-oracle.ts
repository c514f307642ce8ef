/** How a transfer ended, by what its line says of it; a part of the oracle of records. */

/** How lines say it. */
export interface EndOracle {
  readonly completion?: 'ok' | 'not-x' | 'edge-result' | 'truth'
}

/** See the head of this file. */
export function stateOf(
  fields: ReadonlyMap<string, string>,
  format: EndOracle,
): 'complete' | 'aborted' | 'unknown' {
  const text = fields.get('completion')
  switch (format.completion) {
    case 'ok':
      return text === undefined ? 'unknown' : text === 'OK' ? 'complete' : 'aborted'
    case 'not-x':
      return text === 'X' ? 'aborted' : text === '+' || text === '-' ? 'complete' : 'unknown'
    case 'truth':
      return text === undefined || text === ''
        ? 'unknown'
        : text === '1' || text === 'true'
          ? 'complete'
          : 'aborted'
    case 'edge-result': {
      const results = ['result', 'detail', 'responseResult'].map((slot) => fields.get(slot) ?? '')
      const isBad = results.some(
        (word) => !['', 'Hit', 'Miss', 'RefreshHit', 'OriginShieldHit'].includes(word),
      )
      if (isBad) return 'aborted'
      return results[0] === '' && results[1] === '' ? 'unknown' : 'complete'
    }
    default:
      return 'unknown'
  }
}
