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
  }));
}
