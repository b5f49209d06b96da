import { get } from 'node:https'
import { agentsFor } from '../../src/trust'

/** Prints the status of a GET or why it failed. Arguments: URL, trust as JSON. */
const [url = '', trust = '{}'] = process.argv.slice(2)
get(url, { agent: agentsFor({})(JSON.parse(trust)) }, (answer) => {
  console.log(answer.resume().statusCode)
}).on('error', ({ message }) => console.log(message))
