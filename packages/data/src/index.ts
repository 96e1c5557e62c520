// Data sets, seeded loaders, transforms and file formats.
export {}
