/** A thread that ends its task without a word. */
export default ({ port }) => port.close()
