/** The log that ships with the program, and questions about it that show each kind of answer. */

import { createRequire } from 'node:module'

/** The options of a question as they are typed, without the store. */
export type QuestionOptions = readonly string[]

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:126.0) Gecko/20100101 Firefox/126.0'
const OVERCAST = 'Overcast/3.0 (+http://overcast.fm/; iOS podcast app)'

/** The question that the program was made for: two requests, the second of which brought the missing bytes. */
export const DEMONSTRATION: QuestionOptions = [
  ...['--asset', '/episodes/night-trains-01-the-platform.mp3', '--ip', '203.0.113.194'],
  ...['--user-agent', FIREFOX, '--range', '10-500'],
]

const SKIPPED_PIECE: QuestionOptions = [
  ...['--asset', '/a2e95b0d-1c7f-4b86-b3d4-7e58f0912c6a', '--ip', '198.51.100.148'],
  ...['--user-agent', OVERCAST, '--range'],
]

/** A question with a sentence that says what to look for in its answer. */
export interface TourStop {
  readonly title: string
  readonly question: QuestionOptions
}

/** One question for each kind of answer. */
export const TOUR_STOPS: readonly TourStop[] = [
  {
    title: 'Delivered: two requests overlap the range, and the beginning of it came last.',
    question: DEMONSTRATION,
  },
  { title: 'Partly delivered: the player skipped a piece.', question: [...SKIPPED_PIECE, '0-669'] },
  { title: 'Not delivered: the skipped piece itself.', question: [...SKIPPED_PIECE, '311-619'] },
  {
    title: 'The whole asset: its length is the largest position that any request reached.',
    question: [
      ...['--asset', '/d7640f9b-58a2-4e31-96cd-f1b3087ae245', '--ip', '2001:db8:80::11'],
      ...['--user-agent', 'Podcasts/1640.7.2 CFNetwork/1494.0.7 Darwin/23.4.0', '--whole'],
    ],
  },
]

/** Path of the bundled log. */
export function bundledSamplePath(): string {
  return createRequire(import.meta.url).resolve('#fixtures/sample.log')
}
