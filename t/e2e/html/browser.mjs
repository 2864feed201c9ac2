// browser.mjs DIRECTORY PROFILE: a chromium without a network that does what
// it is told, a line of JSON ["what", ...] each time, and answers each with a
// line of JSON: what is on the page then, "answer" what was asked for.
//
// DIRECTORY has the npm package playwright-core, PROFILE is a directory for
// the browser, which is empty.  What the page paints on its canvas is noted
// while it paints.

import { createRequire } from 'node:module'
import path from 'node:path'
import readline from 'node:readline'

const [directory, profile] = process.argv.slice(2)
const { chromium } =
    createRequire(path.join(path.resolve(directory), '/'))('playwright-core')

const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    headless: true,
    offline: true,
    viewport: { width: 1000, height: 600 },
    args: [
        '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
        '--disable-background-networking', '--disable-component-update',
        '--disable-sync',
    ],
})

const page = context.pages()[0] ?? await context.newPage()
let said = []
let requests = []

page.on('console', message => said.push(message.text()))
page.on('pageerror', error => said.push(String(error)))
page.on('dialog', dialog => {
    said.push(`dialog: ${dialog.message()}`)
    dialog.dismiss()
})
context.on('request', request => requests.push(request.url()))
context.on('page', () => said.push('another page'))

await page.addInitScript(() => {
    const canvas = CanvasRenderingContext2D.prototype
    const { setTransform, fillRect, fillText } = canvas

    window.painted = { rects: [], texts: [] }

    // each drawing begins with this
    canvas.setTransform = function (...args) {
        window.painted = { rects: [], texts: [] }
        return setTransform.apply(this, args)
    }
    canvas.fillRect = function (x, y, w, h) {
        window.painted.rects.push([x, y, w, h, this.fillStyle])
        return fillRect.call(this, x, y, w, h)
    }
    canvas.fillText = function (text, x, y) {
        window.painted.texts.push([text, x, y])
        return fillText.call(this, text, x, y)
    }
})

// a place of the canvas, in the window
async function place(x, y) {
    const box = await page.locator('#graph').boundingBox()

    return [box.x + x, box.y + y]
}

const steps = {
    async open(file) {
        said = []
        requests = []
        await page.goto(`file://${file}`)
    },
    async hover(x, y) {
        await page.mouse.move(...await place(x, y))
    },
    async click(x, y) {
        await page.mouse.click(...await place(x, y))
    },
    async leave() {
        await page.mouse.move(1, 1)
    },
    async press(...keys) {
        for (const key of keys) {
            await page.keyboard.press(key)
        }
    },
    async type(text) {
        await page.fill('#find', text)
    },
    async reset() {
        await page.click('#all')
    },
    async size(width, height) {
        await page.setViewportSize({ width, height })
        await page.evaluate(() => new Promise(requestAnimationFrame))
    },
    async scheme(colorScheme) {
        await page.emulateMedia({ colorScheme })
        await page.evaluate(() => new Promise(requestAnimationFrame))
    },
    async scroll(y) {
        await page.evaluate(top => window.scrollTo(0, top), y)
    },
    async look() {},

    async painted() {
        return page.evaluate(() => window.painted)
    },

    // how much of the canvas is not transparent
    async pixels() {
        return page.evaluate(() => {
            const canvas = document.getElementById('graph')
            const { data } = canvas.getContext('2d')
                .getImageData(0, 0, canvas.width, canvas.height)
            let opaque = 0

            for (let i = 3; i < data.length; i += 4) {
                opaque += data[i] > 0
            }

            return opaque / (canvas.width * canvas.height)
        })
    },
}

const lines = readline.createInterface({ input: process.stdin })

for await (const line of lines) {
    const [what, ...args] = JSON.parse(line)

    const answer = await steps[what](...args)

    const shown = await page.evaluate(() => {
        const id = name => document.getElementById(name)
        const canvas = id('graph')
        const box = canvas.getBoundingClientRect()

        return {
            width: box.width,
            height: box.height,
            top: box.top,
            title: document.title,
            heading: document.querySelector('h1').textContent,
            range: document.querySelector('h1 + p').textContent,
            info: id('info').textContent,
            info_top: id('info').getBoundingClientRect().top,
            info_bottom: id('info').getBoundingClientRect().bottom,
            match: id('match').textContent,
            word: id('find').value,
            focus: document.activeElement.id,
            background: getComputedStyle(document.body).backgroundColor,
            images: document.images.length,
            scripts: document.scripts.length,
            pwned: window.pwned ?? 0,
        }
    })

    console.log(JSON.stringify({ ...shown, answer, said, requests }))
}

await context.close()
