// Runs the object store in a separate process that tests can kill. Prints the endpoint.
import { startObjectStore } from '../../src/local/store/server'
import { credentials, region } from './object-store-client'

startObjectStore({ dataDir: process.argv[2] ?? '', port: 0, region, credentials }).then(
  ({ endpoint }) => console.log(endpoint),
  (error) => {
    console.log(error.message)
    process.exitCode = 1
  },
)
