// Runs the action once with the parameters it is given as JSON, as a container would, and prints the result.
import { main } from '../../actions/classify'

main(JSON.parse(process.argv[2] ?? '{}')).then(
  (result) => console.log(JSON.stringify(result)),
  (thrown) => {
    console.error(thrown)
    process.exitCode = 1
  },
)
