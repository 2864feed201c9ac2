// open.mjs DIRECTORY FILE...: opens files with the npm package speedscope that
// is in DIRECTORY and prints a line of JSON for each: its profiles, and what
// each function has.
//
// The package is a page for browsers, in one script.  It is run up to where
// the page would be drawn; what reads files is there by then.

import fs from 'node:fs'
import path from 'node:path'
import vm from 'node:vm'

const [directory, ...files] = process.argv.slice(2)

function replaceOnce(text, from, to) {
    const pieces = text.split(from)

    if (pieces.length !== 2) {
        throw new Error(`speedscope has changed: no single ${from}`)
    }

    return pieces.join(to)
}

async function importer() {
    const release = path.join(directory, 'node_modules/speedscope/dist/release')
    const script = fs.readdirSync(release)
        .find(name => /^speedscope-.*\.js$/.test(name))
    const source = fs.readFileSync(path.join(release, script), 'utf8')
    const promise = /\(await ([\w$]+)\)\.importProfileGroupFromText/
        .exec(source)[1]
    const drawing = 'console.log(`speedscope v'

    // stands for all of the browser that is asked for before
    const nothing = new Proxy(function () {}, {
        get: (_, key) => key === Symbol.toPrimitive ? () => '' : nothing,
        set: () => true,
        apply: () => nothing,
        construct: () => nothing,
    })

    const global = {
        ArrayBuffer, Blob, TextDecoder, TextEncoder, URL, Uint8Array,
        clearTimeout, performance, setTimeout,
        addEventListener() {},
        alert: text => console.error(text),
        console: { ...console, log() {} },
        document: nothing,
        localStorage: nothing,
        location: { hash: '', protocol: 'file:' },
        matchMedia: () => nothing,
        navigator: nothing,
        requestAnimationFrame: () => 0,
    }

    global.window = global.self = global.globalThis = global

    vm.createContext(global)
    vm.runInContext(replaceOnce(source, drawing,
        `globalThis.readers = ${promise}; return; ${drawing}`), global)

    return global.readers
}

const readers = await importer()

for (const file of files) {
    const bytes = fs.readFileSync(file)
    const group = await readers.importProfilesFromArrayBuffer(
        path.basename(file), bytes.buffer.slice(bytes.byteOffset,
            bytes.byteOffset + bytes.length))

    console.log(JSON.stringify(!group ? null : group.profiles.map(profile => {
        const frames = {}

        profile.forEachFrame(frame => {
            frames[frame.name] = (frames[frame.name] ?? 0)
                + frame.getSelfWeight()
        })

        return {
            name: profile.getName(),
            total: profile.getTotalWeight(),
            shown: profile.formatValue(profile.getTotalWeight()),
            self: frames,
        }
    })))
}
