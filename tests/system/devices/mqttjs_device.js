// A device on MQTT.js: `node mqttjs_device.js ROLE PORT-OR-URL VERSION [COUNT]`. Prints what it saw as one JSON object.
//   echo      publishes COUNT messages with each QoS, hears them itself, sets and reads a retained one
//   publish   COUNT messages of QoS 1 with sequence numbers to js/data; goes on over lost connections
'use strict'

const mqtt = require('mqtt')

const [role, port, version, count] = process.argv.slice(2)
const total = Number(count ?? 100)

function connect(options) {
  return mqtt.connectAsync(port.includes(':') ? port : `mqtt://127.0.0.1:${port}`, {
    protocolVersion: Number(version),
    reconnectPeriod: 100,
    ...options,
  })
}

async function echo() {
  const client = await connect({ clientId: 'js-echo', clean: true })
  const heard = []
  let all
  const complete = new Promise((resolve) => { all = resolve })
  client.on('message', (topic, payload, packet) => {
    heard.push([topic, Number(payload.toString()), packet.qos, packet.retain])
    if (heard.length === 3 * total) all()
  })
  const granted = await client.subscribeAsync('js/echo/#', { qos: 2 })
  for (let i = 0; i < total; i++) {
    for (const qos of [0, 1, 2]) client.publish(`js/echo/${qos}`, String(i), { qos })
  }
  await complete
  await client.publishAsync('js/kept', 'kept', { qos: 1, retain: true })
  const retained = new Promise((resolve) => {
    client.removeAllListeners('message')
    client.on('message', (topic, payload, packet) => resolve([topic, payload.toString(), packet.retain]))
  })
  await client.subscribeAsync('js/kept', { qos: 1 })
  console.log(JSON.stringify({ granted: granted[0].qos, heard, retained: await retained }))
  await client.endAsync()
}

async function publish() {
  const client = await connect({ clientId: 'js-publisher', clean: false, properties:
    version === '5' ? { sessionExpiryInterval: 600 } : undefined })
  client.on('error', () => {})
  let acknowledged = 0
  const waiting = []
  for (let i = 1; i <= total; i++) {
    waiting.push(client.publishAsync('js/data', String(i), { qos: 1 }).then(() => { acknowledged++ }))
    if (waiting.length === 50) await Promise.all(waiting.splice(0))
  }
  await Promise.all(waiting)
  console.log(JSON.stringify({ acknowledged }))
  await client.endAsync()
}

const roles = { echo, publish }
roles[role]().then(() => process.exit(0), (error) => { console.error(error); process.exit(1) })
