// Runs the action once with the parameters given as JSON, like a container, and prints the result.
import { main } from '../../actions/classify'

main(JSON.parse(process.argv[2] ?? '{}')).then(
  (result) => console.log(JSON.stringify(result)),
  (thrown) => {
    console.error(thrown)
    process.exitCode = 1
  },
)
