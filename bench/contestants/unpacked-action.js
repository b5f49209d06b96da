// Runs an action from its unpacked zip on one photo, as the platform's Node.js image does. Prints the top label.
const { readFileSync } = require('node:fs')

const [folder, photo] = process.argv.slice(2)
process.chdir(folder)
process.env.__OW_DEADLINE = '9999999999999'

async function main() {
  const { results } = await require(folder).main({ image: readFileSync(photo).toString('base64') })
  console.log(results[0].className)
}

main()
