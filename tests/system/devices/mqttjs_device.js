// A device on MQTT.js. What it does in each role: README.md of the folder above, "Devices".
'use strict'

const fs = require('fs')
const mqtt = require('mqtt')

const [role, url, version, count = '100', qos = '1'] = process.argv.slice(2)
const total = Number(count)
const five = version === '5'
const say = (what) => console.log(JSON.stringify(what))

function options(clientId, more) {
  return {
    clientId,
    protocolVersion: Number(version),
    protocolId: version === '3' ? 'MQIsdp' : 'MQTT',
    reconnectPeriod: 100,
    ca: process.env.CA_FILE && fs.readFileSync(process.env.CA_FILE),
    ...more,
  }
}

const connect = (clientId, more) => mqtt.connectAsync(url, options(clientId, more))
const kept = { clean: false, properties: five ? { sessionExpiryInterval: 600 } : undefined }

// The next `wanted` messages of a client, as make(topic, payload, packet) sees them.
function hear(client, wanted, make) {
  return new Promise((resolve) => {
    const heard = []
    client.on('message', function listen(topic, payload, packet) {
      heard.push(make(topic, payload.toString(), packet))
      if (heard.length < wanted) return
      client.off('message', listen)
      resolve(heard)
    })
  })
}

async function echo() {
  const client = await connect('dev-echo')
  const all = hear(client, 3 * total, (topic, payload, packet) => [topic, Number(payload), packet.qos, packet.retain])
  const granted = await client.subscribeAsync('dev/echo/#', { qos: 2 })
  for (let i = 0; i < total; i++) {
    for (const each of [0, 1, 2]) client.publish(`dev/echo/${each}`, String(i), { qos: each })
  }
  const heard = await all
  const large = Array.from({ length: 50000 }, (_, number) => `${number} `).join('')
  const back = hear(client, 1, (topic, payload) => payload === large)
  await client.publishAsync('dev/echo/large', large, { qos: 2 })
  const whole = await back
  await client.publishAsync('dev/kept', 'kept', { qos: 1, retain: true })
  const retained = hear(client, 1, (topic, payload, packet) => [topic, payload, packet.retain])
  await client.subscribeAsync('dev/kept', { qos: 1 })
  say({ granted: granted[0].qos, heard, large: whole[0], retained: (await retained)[0] })
  await client.endAsync()
}

async function publish() {
  const client = await connect('dev-publisher', kept)
  client.on('error', () => {})
  let acknowledged = 0
  const waiting = []
  for (let i = 0; i < total; i++) {
    waiting.push(client.publishAsync('dev/data', String(i), { qos: Number(qos) }).then(() => {
      if (++acknowledged % 50 === 0) say({ acknowledged })
    }))
    if (waiting.length === 20) await waiting.shift()
  }
  await Promise.all(waiting)
  await client.endAsync()
}

function stay() {
  const will = { topic: 'dev/will', payload: 'gone', qos: 1, properties: five ? { willDelayInterval: 1 } : undefined }
  const client = mqtt.connect(url, options('dev-stay', { ...kept, will, resubscribe: false }))
  client.on('error', () => {})
  client.on('message', (topic, payload, packet) => say({ heard: [topic, payload.toString(), packet.qos] }))
  client.on('connect', (connack) => {
    say({ connected: connack.sessionPresent })
    if (connack.sessionPresent) return
    client.subscribe('dev/stay/#', { qos: 2 }, (error, granted) => say({ subscribed: granted[0].qos }))
  })
  return new Promise(() => {})
}

async function ask() {
  const [service, asker] = [await connect('dev-service'), await connect('dev-asker')]
  await service.subscribeAsync('dev/service', { qos: 1 })
  await asker.subscribeAsync('dev/answers', { qos: 1 })
  const seen = (topic, payload, { properties: got }) => ({
    payload,
    correlation: got.correlationData.toString('hex'),
    user: Object.entries(got.userProperties),
    content_type: got.contentType,
    utf8: got.payloadFormatIndicator,
    expires: got.messageExpiryInterval !== undefined,
  })
  const asked = hear(service, 1, (topic, payload, packet) => {
    const { responseTopic, ...properties } = packet.properties
    service.publish(responseTopic, payload.toUpperCase(), { qos: 1, properties })
    return seen(topic, payload, packet)
  })
  const answered = hear(asker, 1, seen)
  await asker.publishAsync('dev/service', 'how warm?', { qos: 1, properties: {
    responseTopic: 'dev/answers', correlationData: Buffer.from('0001feff', 'hex'), userProperties: { unit: '°C' },
    contentType: 'text/plain', payloadFormatIndicator: true, messageExpiryInterval: 60 } })
  say({ asked: (await asked)[0], answered: (await answered)[0] })
  await Promise.all([service.endAsync(), asker.endAsync()])
}

// What stands on the wire, both ways: [topic, alias].
async function aliases() {
  const client = await connect('dev-aliases', { properties: { topicAliasMaximum: 10 }, autoAssignTopicAlias: true })
  const [sent, received] = [[], []]
  const note = (list) => (packet) => {
    if (packet.cmd === 'publish') list.push([packet.topic.toString(), packet.properties?.topicAlias])
  }
  client.on('packetsend', note(sent))
  client.on('packetreceive', note(received))
  const all = hear(client, 6, (topic, payload) => [topic, payload])
  await client.subscribeAsync('dev/alias/#', { qos: 1 })
  for (let i = 0; i < 3; i++) {
    for (const name of ['dev/alias/a', 'dev/alias/b']) await client.publishAsync(name, String(i), { qos: 1 })
  }
  say({ sent, received, heard: await all })
  await client.endAsync()
}

// All at once, without regard to the Receive Maximum.
async function burst() {
  const [subscriber, publisher] = [await connect('dev-kept', kept), await connect('dev-burst', kept)]
  let closed = 0
  for (const client of [subscriber, publisher]) client.on('close', () => { closed++ })
  const all = hear(subscriber, total, (topic, payload) => Number(payload))
  await subscriber.subscribeAsync('dev/burst', { qos: 1 })
  const waiting = []
  for (let i = 0; i < total; i++) waiting.push(publisher.publishAsync('dev/burst', String(i), { qos: 1 }))
  await Promise.all(waiting)
  say({ heard: await all, closed })
  await Promise.all([subscriber.endAsync(), publisher.endAsync()])
}

async function share() {
  const members = await Promise.all([1, 2, 3].map((number) => connect(`dev-member-${number}`)))
  const shares = members.map(() => [])
  const numbers = []
  const all = new Promise((resolve) => members.forEach((member, at) => member.on('message', (topic, payload) => {
    shares[at].push(Number(payload))
    numbers.push(Number(payload))
    if (numbers.length === total) resolve()
  })))
  for (const member of members) await member.subscribeAsync('$share/crew/dev/work', { qos: 1 })
  const publisher = await connect('dev-publisher')
  for (let i = 0; i < total; i++) publisher.publish('dev/work', String(i), { qos: 1 })
  await all
  say({ shares: shares.map((each) => each.length), numbers: numbers.sort((a, b) => a - b) })
  await Promise.all([...members, publisher].map((each) => each.endAsync()))
}

// No local, retain as published, retain handling, subscription identifiers.
async function subscribeOptions() {
  const [client, other] = [await connect('dev-options'), await connect('dev-other')]
  await other.publishAsync('dev/options/old', 'old', { qos: 1, retain: true })
  const all = hear(client, 2, (topic, payload, packet) =>
    [topic, payload, packet.retain, [packet.properties.subscriptionIdentifier].flat().sort()])
  await client.subscribeAsync('dev/options/#', { qos: 1, nl: true, rap: true, rh: 2,
    properties: { subscriptionIdentifier: 7 } })
  await client.subscribeAsync('dev/+/both', { qos: 1, nl: true, properties: { subscriptionIdentifier: 8 } })
  await client.publishAsync('dev/options/own', 'own', { qos: 1 })
  await other.publishAsync('dev/options/new', 'new', { qos: 1, retain: true })
  await other.publishAsync('dev/options/both', 'both', { qos: 1 })
  say({ heard: await all })
  await Promise.all([client.endAsync(), other.endAsync()])
}

const roles = { echo, publish, stay, ask, aliases, burst, share, options: subscribeOptions }
roles[role]().then(() => process.exit(0), (error) => { console.error(error); process.exit(1) })
