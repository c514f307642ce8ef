/** A thread that dies before it has taken a task, unless another was faster. */
throw new Error('no such module')
