#!/usr/bin/env node
// Entry of the athanor command.
export {}
