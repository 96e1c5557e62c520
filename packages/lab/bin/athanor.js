#!/usr/bin/env node
// The athanor command; a file of its own so that npm can link it before the first build.
import '../dist/cli.js'
