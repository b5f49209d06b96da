// A stand-in for OpenWhisk's Node.js image that shares no code with the project: it serves /init and /run from an empty
// working folder and prints its port.
const { mkdirSync, writeFileSync } = require('node:fs')
const { createServer } = require('node:http')
const { dirname, join } = require('node:path')
const { unzipSync } = require('fflate')

let main

function init({ code, main: name = 'main', env = {} }) {
  Object.assign(process.env, env)
  const folder = join(process.cwd(), 'action')
  for (const [name, bytes] of Object.entries(unzipSync(Buffer.from(code, 'base64')))) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), bytes)
  }
  process.chdir(folder)
  main = require(folder)[name]
  return { OK: true }
}

async function run({ value, ...context }) {
  for (const [name, text] of Object.entries(context)) process.env[`__OW_${name.toUpperCase()}`] = String(text)
  return main(value)
}

createServer(async (request, response) => {
  const pieces = []
  for await (const piece of request) pieces.push(piece)
  const body = JSON.parse(Buffer.concat(pieces).toString())
  try {
    const answer = request.url === '/init' ? init(body.value) : await run(body)
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  } catch (thrown) {
    response.writeHead(502).end(JSON.stringify({ error: String(thrown?.stack ?? thrown) }))
  }
}).listen(0, '127.0.0.1', function listening() {
  process.stdout.write(`${this.address().port}\n`)
})
