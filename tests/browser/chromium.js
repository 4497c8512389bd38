// Headless Chromium, steered by lines of JSON: `node chromium.js HOME SANDBOX TIMEOUT_MS`.
// In: [method, ...arguments] of Playwright's Page. Out, one line each: {"result": ...} or {"error": "..."}. The end of the
// input ends the browser; so does the end of this program, whatever ends it. HOME is where it keeps everything, and
// where it looks for certificates that it trusts (.pki/nssdb).
'use strict'

const readline = require('readline')
const { chromium } = require('playwright-core')

const [home, sandbox, timeout] = process.argv.slice(2)

async function answer(page, line) {
  try {
    const [method, ...rest] = JSON.parse(line)
    const result = await page[method](...rest)
    // A Response and the like say nothing in JSON.
    return { result: result !== null && typeof result === 'object' && !Array.isArray(result) ? undefined : result }
  } catch (error) {
    return { error: error.message }
  }
}

async function main() {
  const context = await chromium.launchPersistentContext(`${home}/profile`, {
    executablePath: '/usr/bin/chromium',
    headless: true,
    chromiumSandbox: sandbox === 'sandbox',
    env: { ...process.env, HOME: home },
    args: ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  })
  context.setDefaultTimeout(Number(timeout))
  const page = context.pages()[0]
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answer(page, line)))
  }
  await context.close()
}

main().then(() => process.exit(0), (error) => {
  console.log(JSON.stringify({ error: error.message }))
  process.exit(1)
})
