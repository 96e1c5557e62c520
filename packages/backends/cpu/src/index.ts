// Backend that generates JavaScript.
export {}
