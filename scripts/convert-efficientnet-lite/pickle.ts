import { InvalidInputError } from '../../src/errors'

/** External references that a pickle may use. All others are refused. */
export interface PickleContext {
  /** Importable names, as `module.name`. Functions can be called; other values only passed on. */
  globals: ReadonlyMap<string, unknown>
  /** Resolves a reference to an object stored outside the pickle. */
  persistentLoad: (id: unknown) => unknown
}

const nothingOutside: PickleContext = {
  globals: new Map(),
  persistentLoad: () => {
    throw new InvalidInputError('bad_model', 'Expected a pickle without persistent ids')
  },
}

/** Marks the start of a group of items on the stack. */
const mark = Symbol('mark')

/**
 * Reads one pickle of protocol 2 at `offset`, and returns where the next one starts. Tuples and lists become arrays, dicts Maps,
 * integers beyond 2^53 bigints. Supports only the opcodes needed for data: classes cannot be named, so unlike in Python nothing in
 * the file can run code.
 */
export function readPickle(
  bytes: Uint8Array,
  offset = 0,
  { globals, persistentLoad }: PickleContext = nothingOutside,
): { value: unknown; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const stack: unknown[] = []
  const memo = new Map<number, unknown>()
  let at = offset

  const advance = (count: number): number => {
    at += count
    if (at > bytes.length)
      throw new InvalidInputError('bad_model', 'Expected more bytes: the pickle is cut off')
    return at - count
  }
  const uint8 = () => view.getUint8(advance(1))
  const uint16 = () => view.getUint16(advance(2), true)
  const uint32 = () => view.getUint32(advance(4), true)
  const text = (length: number): string => {
    const start = advance(length)
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(start, at))
  }
  const line = (): string => {
    const end = bytes.indexOf(0x0a, at)
    const found = text((end < 0 ? bytes.length : end) - at)
    advance(1)
    return found
  }
  /** A little-endian two's complement integer of any length. */
  const long = (length: number): number | bigint => {
    const start = advance(length)
    let value = 0n
    for (let index = at - 1; index >= start; index--) value = (value << 8n) | BigInt(view.getUint8(index))
    value = BigInt.asIntN(8 * length, value)
    return Number.isSafeInteger(Number(value)) ? Number(value) : value
  }
  const pop = (): unknown => {
    if (stack.length === 0 || stack.at(-1) === mark) {
      throw new InvalidInputError('bad_model', 'Expected a value on the stack of the pickle')
    }
    return stack.pop()
  }
  const popToMark = (): unknown[] => {
    const start = stack.lastIndexOf(mark)
    if (start < 0) throw new InvalidInputError('bad_model', 'Expected a mark on the stack of the pickle')
    return stack.splice(start).slice(1)
  }
  const append = (items: unknown[]) => {
    const list = stack.at(-1)
    if (!Array.isArray(list))
      throw new InvalidInputError('bad_model', 'Expected the pickle to append to a list')
    list.push(...items)
  }
  const setItems = (items: unknown[]) => {
    const dict = stack.at(-1)
    if (!(dict instanceof Map))
      throw new InvalidInputError('bad_model', 'Expected the pickle to set items of a dict')
    for (let index = 0; index < items.length; index += 2) dict.set(items[index], items[index + 1])
  }
  const recall = (index: number): unknown => {
    if (!memo.has(index))
      throw new InvalidInputError('bad_model', `Expected the pickle to have memoised ${index}`)
    return memo.get(index)
  }
  const global = (): unknown => {
    const name = `${line()}.${line()}`
    if (!globals.has(name)) {
      throw new InvalidInputError('bad_model', `Refused to load ${name}: it is not allowed`)
    }
    return globals.get(name)
  }
  const reduce = (args: unknown, callable: unknown): unknown => {
    if (typeof callable !== 'function' || !Array.isArray(args)) {
      throw new InvalidInputError(
        'bad_model',
        'Expected the pickle to call a function with a tuple of arguments',
      )
    }
    return callable(...args)
  }
  /** `BUILD` sets attributes of an object. Maps have none, so PyTorch's (`_metadata`) are dropped. */
  const build = () => {
    pop()
    if (!(stack.at(-1) instanceof Map))
      throw new InvalidInputError('bad_model', 'Expected attributes on a dict only')
  }

  const checkProtocol = () => {
    const protocol = uint8()
    if (protocol !== 2)
      throw new InvalidInputError('bad_model', `Expected pickle protocol 2, found ${protocol}`)
  }

  const operations = new Map<number, () => unknown>([
    [0x80, checkProtocol], // PROTO
    [0x28, () => stack.push(mark)], // MARK
    [0x29, () => stack.push([])], // EMPTY_TUPLE
    [0x4a, () => stack.push(view.getInt32(advance(4), true))], // BININT
    [0x4b, () => stack.push(uint8())], // BININT1
    [0x4d, () => stack.push(uint16())], // BININT2
    [0x4e, () => stack.push(null)], // NONE
    [0x51, () => stack.push(persistentLoad(pop()))], // BINPERSID
    [0x52, () => stack.push(reduce(pop(), pop()))], // REDUCE: the arguments lie above the callable
    [0x58, () => stack.push(text(uint32()))], // BINUNICODE
    [0x5d, () => stack.push([])], // EMPTY_LIST
    [0x61, () => append([pop()])], // APPEND
    [0x62, build], // BUILD
    [0x63, () => stack.push(global())], // GLOBAL
    [0x65, () => append(popToMark())], // APPENDS
    [0x68, () => stack.push(recall(uint8()))], // BINGET
    [0x6a, () => stack.push(recall(uint32()))], // LONG_BINGET
    [0x71, () => memo.set(uint8(), stack.at(-1))], // BINPUT
    [0x72, () => memo.set(uint32(), stack.at(-1))], // LONG_BINPUT
    [0x73, () => setItems([pop(), pop()].reverse())], // SETITEM
    [0x74, () => stack.push(popToMark())], // TUPLE
    [0x75, () => setItems(popToMark())], // SETITEMS
    [0x7d, () => stack.push(new Map())], // EMPTY_DICT
    [0x85, () => stack.push([pop()])], // TUPLE1
    [0x86, () => stack.push([pop(), pop()].reverse())], // TUPLE2
    [0x87, () => stack.push([pop(), pop(), pop()].reverse())], // TUPLE3
    [0x88, () => stack.push(true)], // NEWTRUE
    [0x89, () => stack.push(false)], // NEWFALSE
    [0x8a, () => stack.push(long(uint8()))], // LONG1
  ])

  for (;;) {
    const code = uint8()
    if (code === 0x2e) return { value: pop(), end: at } // STOP
    const operation = operations.get(code)
    if (!operation) {
      throw new InvalidInputError(
        'bad_model',
        `Refused the pickle opcode 0x${code.toString(16)} at byte ${at - 1}`,
      )
    }
    operation()
  }
}
