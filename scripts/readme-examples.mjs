// The examples of a README: its `js` blocks, and what they say that they print, after `// →`.

/**
 * @typedef {object} Example
 * @property {number} line The line of the README on which the block starts.
 * @property {string} code
 * @property {string[]} said The lines that it says it prints.
 */

/**
 * @param {string} text
 * @returns {Example[]}
 */
export function examplesOf(text) {
  return [...text.matchAll(/^```js\n([\s\S]*?)^```/gm)].map(({ 1: code = '', index }) => ({
    line: text.slice(0, index).split('\n').length,
    code,
    said: [...code.matchAll(/\/\/ → (.*)/g)].map(([, words = '']) => words),
  }))
}

/**
 * The example of a command line: what its first `sh` block installs from npm, the other lines of that block, and the
 * `yaml` block, which is the file that a line names.
 * @param {string} text
 * @returns {{ installs: string[], commands: string[], files: Record<string, string> }}
 */
export function commandExample(text) {
  const [, block = ''] = /^```sh\n([\s\S]*?)^```/m.exec(text) ?? []
  const lines = block.split('\n').filter((line) => line !== '')
  const installing = /^npm install /
  const commands = lines.filter((line) => !installing.test(line))
  const [, yaml] = /^```yaml\n([\s\S]*?)^```/m.exec(text) ?? []
  const [, file] = /(\S+\.yaml)/.exec(block) ?? []
  return {
    installs: lines.filter((line) => installing.test(line)).flatMap((line) => line.replace(installing, '').split(' ')),
    commands,
    files: yaml === undefined || file === undefined ? {} : { [file]: yaml },
  }
}
