/** Most rows of any byte_num page, written or read: parquet-java holds eight bytes a row of a page. */
export const MAX_POSITION_PAGE_ROWS: number = 2 ** 20
