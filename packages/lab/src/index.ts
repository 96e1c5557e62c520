// Runner of declarative experiments: run folders, resume, reports, the athanor command.
export {}
