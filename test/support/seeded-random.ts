/** Random numbers that are the same in every run. */

/** A function that gives a whole number in `0..limit`, from a linear congruential generator. */
export function seededRandom(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return (limit) => {
    // Numerical Recipes' constants; the high bits are the good ones.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 0x1_0000_0000) * limit)
  }
}
