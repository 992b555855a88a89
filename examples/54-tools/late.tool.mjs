// A file that cannot be loaded: it is named, and the others are as good as without it.

throw new Error('the key of the service is missing')
