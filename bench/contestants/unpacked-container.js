// A container of the platform's Node.js image after its action was unpacked: runs the action in a folder with the value of each
// message. Argument: the folder.
const [folder] = process.argv.slice(2)
process.chdir(folder)
const { main } = require(folder)

process.on('message', async (value) => {
  process.env.__OW_ACTIVATION_ID = 'bench'
  process.env.__OW_DEADLINE = String(Date.now() + 600_000)
  process.send(await main(value))
})
process.send('ready')
