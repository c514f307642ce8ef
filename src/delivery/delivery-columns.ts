/** Where the columns that answers rest on stand in a file: by name, as files need not have the same columns. */

import { damaged } from '../base/failure.ts'
import type { ParquetFile } from '../parquet/parquet-file.ts'

/** Ordinals of the columns in one file. */
export interface DeliveryColumns {
  readonly epoch: number
  readonly ip: number
  readonly userAgent: number
  readonly request: number
  readonly byteNum: number
}

/** Finds the columns. Fails as DAMAGED when one is missing. */
export function deliveryColumns({ path, footer }: ParquetFile): DeliveryColumns {
  const ordinalOf = (name: string): number => {
    const ordinal = footer.schema.findIndex((column) => column.name === name)
    return ordinal === -1 ? damaged(path, `a column ${name}`, 'none') : ordinal
  }
  return {
    epoch: ordinalOf('epoch'),
    ip: ordinalOf('ip'),
    userAgent: ordinalOf('user_agent'),
    request: ordinalOf('request'),
    byteNum: ordinalOf('byte_num'),
  }
}
