// Skills: found by their front matter alone, told of in one line, read on demand, and never anything outside their folder.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { Json } from '../schema/json.ts'
import { scriptedModel, type ScriptedReply } from '../testing/scripted-model.ts'
import { discoverTools } from '../tool/discovery.node.ts'
import { originOf } from '../tool/origin.ts'
import { createToolbox } from '../tool/toolbox.ts'
import { World } from '../world/world.ts'
import { run } from '../world/runner.ts'
import { user } from '../message/message.ts'
import { Agent } from './agent.ts'
import { Conversation, LLM, Skills, ToolRegistry } from './component.ts'
import { defineSkill, type Skill } from './skill.ts'
import { loadSkills } from './skill-folder.node.ts'
import { skillDisclosure, skillTools } from './skill-tool.ts'

const made: string[] = []
after(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
})

/** A folder with these files, by path. */
function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'skills-'))
  made.push(folder)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  return folder
}

const head = (name: string, more = ''): string => `---\nname: ${name}\ndescription: Does ${name}.\n${more}---\n`
const none = { signal: undefined }

/** What a tool gives for this input. */
async function readBy(skills: readonly Skill[], input: Json): Promise<string> {
  const { content } = await createToolbox({ ...skillTools(skills) }).execute('readSkill', input)
  return String(content)
}

describe('finding skills', () => {
  test('reads names and descriptions, and what else the format knows', async () => {
    const more = [
      'license: MIT',
      'compatibility: Needs git',
      'allowed-tools: Read Bash(git:*)',
      'metadata:',
      '  author: me',
      '  version: "1.0"',
      '',
    ]
    const folder = folderOf({
      'pdf/SKILL.md': `---\nname: pdf\ndescription: >\n  Reads PDF files.\n  Use it when one is mentioned.\n${more.join('\n')}---\n# PDF\n`,
      'a1-b2/SKILL.md': head('a1-b2'),
      'notes/README.md': 'no skill',
      'loose.md': 'no folder',
    })
    const { skills, problems } = await loadSkills(folder)
    assert.deepEqual(problems, [])
    const [first, pdf] = skills
    assert.deepEqual([first?.name, first?.license, skills.length], ['a1-b2', undefined, 2])
    const { read: _read, files: _files, ...told } = pdf!
    assert.deepEqual(told, {
      name: 'pdf',
      description: 'Reads PDF files. Use it when one is mentioned.',
      license: 'MIT',
      compatibility: 'Needs git',
      allowedTools: ['Read', 'Bash(git:*)'],
      metadata: { author: 'me', version: '1.0' },
    })
  })

  test('passes over what is wrong and says why, file by file', async () => {
    const folder = folderOf({
      'fine/SKILL.md': head('fine'),
      'no-front/SKILL.md': '# Title',
      'other/SKILL.md': head('different'),
      'Upper/SKILL.md': head('Upper'),
      'mute/SKILL.md': '---\nname: mute\n---\n',
      'wordy/SKILL.md': `---\nname: wordy\ndescription: ${'x'.repeat(1_025)}\n---\n`,
      'listed/SKILL.md': '---\nname: listed\ndescription: [a, b]\n---\n',
      'hostile/SKILL.md': '---\nname: hostile\ndescription: !!js/function "process.exit()"\n---\n',
      'endless/SKILL.md': `---\nname: endless\n${'# x\n'.repeat(100_000)}---\n`,
      'binary/SKILL.md': Uint8Array.from({ length: 256 }, (_, byte) => byte),
      'folder/SKILL.md/x': '',
    })
    const outside = folderOf({ 'SKILL.md': head('linked'), 'far/SKILL.md': head('far') })
    symlinkSync(join(outside, 'far'), join(folder, 'far'))
    mkdirSync(join(folder, 'linked'))
    symlinkSync(join(outside, 'SKILL.md'), join(folder, 'linked/SKILL.md'))
    mkdirSync(join(folder, 'twice'))
    linkSync(join(outside, 'SKILL.md'), join(folder, 'twice/SKILL.md'))
    const { skills, problems } = await loadSkills(folder)
    assert.deepEqual(
      skills.map(({ name }) => name),
      ['fine'],
    )
    const found = Object.fromEntries(
      problems.map(({ path, message }) => [path.slice(folder.length + 1).split('/')[0], message]),
    )
    const expected: Record<string, RegExp> = {
      Upper: /^its name must be/,
      binary: /^line 1: it does not begin/,
      endless: /no second line of three dashes in the first/,
      far: /^it is a link; links are not followed/,
      folder: /^it is a link, has a second name|may not be read/,
      hostile: /^line 3: .*'!' must be in quotes/,
      linked: /^it is a link/,
      listed: /needs a description/,
      mute: /needs a description/,
      'no-front': /^line 1: it does not begin/,
      other: /named 'different', but its folder 'other'/,
      twice: /second name/,
      wordy: /1 to 1,024/,
    }
    assert.deepEqual(Object.keys(found), Object.keys(expected))
    for (const [name, message] of Object.entries(expected)) assert.match(found[name] ?? '', message, name)
  })

  test('an unreadable folder is a clear error', async () => {
    await assert.rejects(loadSkills(join(tmpdir(), 'there-is-no-such-folder')), { code: 'file_access' })
    await assert.rejects(loadSkills(join(folderOf({ x: '' }), 'x')), { code: 'file_access' })
    const controller = new AbortController()
    controller.abort(new Error('enough'))
    await assert.rejects(loadSkills(folderOf({ 'a/SKILL.md': head('a') }), { signal: controller.signal }), /enough/)
  })

  test('a body is not read: it may be anything and as large as it likes', async () => {
    const folder = folderOf({ 'big/SKILL.md': head('big') + 'x'.repeat(3_000_000) })
    const { skills } = await loadSkills(folder)
    assert.equal(skills[0]?.name, 'big')
    await assert.rejects(skills[0]!.read(undefined, none), { code: 'file_access', message: /at most 1048576/ })
  })
})

describe('reading a skill', () => {
  const folder = folderOf({
    'cook/SKILL.md': `${head('cook')}\n# Cooking\n\nWash first. See references/eggs.md.\n`,
    'cook/references/eggs.md': 'Boil for six minutes.',
    'cook/references/rice/basmati.md': 'Twice the water.',
    'cook/scripts/boil.sh': 'exit 1',
    'cook/.env': 'SECRET=1',
    'cook/.git/config': 'SECRET=1',
    'cook/photo.jpg': Uint8Array.from([0xff, 0xd8, 0xff, 0xe0]),
    'other/SKILL.md': head('other'),
    'secret.txt': 'SECRET=1',
  })
  symlinkSync(join(folder, 'secret.txt'), join(folder, 'cook/link.txt'))
  symlinkSync(folder, join(folder, 'cook/up'))
  linkSync(join(folder, 'secret.txt'), join(folder, 'cook/hard.txt'))
  // Opening one would wait for ever for somebody who writes.
  execFileSync('mkfifo', [join(folder, 'cook/pipe')])
  const cook = async (): Promise<Skill> => (await loadSkills(folder)).skills[0]!

  test('gives the instructions without their front matter, and names the files', async () => {
    const text = await readBy([await cook()], { name: 'cook' })
    assert.equal(
      text,
      '# Cooking\n\nWash first. See references/eggs.md.\n\nFiles of this skill, to be read with { name, file }:\n' +
        '- hard.txt\n- photo.jpg\n- references/eggs.md\n- references/rice/basmati.md\n- scripts/boil.sh',
    )
  })

  test('gives its files by path', async () => {
    const skills = [await cook()]
    assert.equal(await readBy(skills, { name: 'cook', file: 'references/eggs.md' }), 'Boil for six minutes.')
    assert.equal(await readBy(skills, { name: 'cook', file: 'references/rice/basmati.md' }), 'Twice the water.')
    assert.match(
      await readBy(skills, { name: 'cook', file: 'references/egg.md' }),
      /Did you mean 'references\/eggs.md'/,
    )
    assert.match(await readBy(skills, { name: 'cook', file: 'photo.jpg' }), /not a text file/)
    assert.match(await readBy(skills, { name: 'cock' }), /no skill 'cock'\. Did you mean 'cook'/)
  })

  const plain =
    '../secret.txt ../other/SKILL.md references/../../secret.txt ./secret.txt .. . / /etc/passwd //etc/passwd ' +
    'file:///etc/passwd C:\\secret.txt ..\\secret.txt link.txt up/secret.txt up/other/SKILL.md hard.txt .env .git/config ' +
    'references references/ references//eggs.md %2e%2e/secret.txt ..%2fsecret.txt ~/.ssh/id pipe'
  const outside = plain
    .split(' ')
    .concat('', '\0', 'secret.txt\0.md', '\ud800', 'a'.repeat(300), join(folder, 'secret.txt'))
  for (const file of outside) {
    test(`never ${JSON.stringify(file.slice(0, 40))}`, async () => {
      await assert.rejects((await cook()).read(file, none), { code: 'file_access' })
    })
  }

  test('never what a link is put to while it is being read', async () => {
    const place = folderOf({
      'skill/SKILL.md': head('skill'),
      'skill/dir/file.txt': 'inside',
      'outside/file.txt': 'SECRET',
    })
    const { skills } = await loadSkills(place)
    // Somebody else swaps the folder and a link to another one, as fast as they can.
    const swapper = new Worker(
      `const { workerData, parentPort } = require('node:worker_threads')
       const { renameSync, symlinkSync } = require('node:fs')
       const dir = workerData + '/skill/dir'
       symlinkSync(workerData + '/outside', workerData + '/link')
       let over = false
       parentPort.once('message', () => (over = true))
       const swap = () => {
         for (let turn = 0; turn < 200; turn++) {
           renameSync(dir, workerData + '/kept'); renameSync(workerData + '/link', dir)
           renameSync(dir, workerData + '/link'); renameSync(workerData + '/kept', dir)
         }
         over ? parentPort.close() : setImmediate(swap)
       }
       swap()`,
      { eval: true, workerData: place },
    )
    await once(swapper, 'online')
    const seen = { inside: 0, refused: 0 }
    try {
      for (let turn = 0; turn < 1_500; turn++) {
        const text = await skills[0]!.read('dir/file.txt', none).catch((error: { code?: string }) => error.code)
        if (text === 'inside') seen.inside++
        else if (text === 'file_access') seen.refused++
        else assert.fail(String(text))
      }
    } finally {
      swapper.postMessage('over')
      await once(swapper, 'exit')
    }
    assert.ok(seen.inside > 0 && seen.refused > 0, JSON.stringify(seen))
  })

  test('a long text is read page by page, and no character is lost', async () => {
    const instructions = Array.from({ length: 3_000 }, (_, line) => `${line} 🌍`).join('\n')
    const skill = defineSkill({ name: 'long', description: 'Long.', instructions })
    let whole = ''
    for (let offset = 0; ;) {
      const page = await readBy([skill], { name: 'long', offset })
      assert.ok(page.length < 10_000)
      const more = /\n\[goes on: read with offset (\d+), \d+ characters are left\]$/.exec(page)
      whole += more === null ? page : page.slice(0, more.index)
      if (more === null) break
      offset = Number(more[1])
    }
    assert.equal(whole, instructions)
    assert.match(await readBy([skill], { name: 'long', offset: 1e9 }), /there is nothing at/)
  })
})

describe('skills of a program', () => {
  test('are read like those of a folder', async () => {
    const skill = defineSkill({
      name: 'rates',
      description: ' Knows\nrates. ',
      instructions: 'See eur.md.',
      files: { 'eur.md': '1.1' },
    })
    assert.equal(skill.description, 'Knows rates.')
    assert.match(await readBy([skill], { name: 'rates' }), /^See eur\.md\.\n\nFiles .*\n- eur\.md$/)
    assert.equal(await readBy([skill], { name: 'rates', file: 'eur.md' }), '1.1')
    assert.match(await readBy([skill], { name: 'rates', file: '__proto__' }), /has no file '__proto__'/)
    const plain = defineSkill({ name: 'plain', description: 'Plain.', instructions: 'Do.' })
    assert.equal(await readBy([plain], { name: 'plain' }), 'Do.')
  })

  test('are refused with one clear line', () => {
    const fine = { name: 'a', description: 'A.', instructions: 'Do.' }
    for (const wrong of [
      { name: 'A' },
      { name: 'a--b' },
      { name: '-a' },
      { name: 'x'.repeat(65) },
      { name: '../a' },
      { description: ' ' },
      { description: 5 as never },
      { instructions: undefined as never },
      { files: { '../x': '' } },
      { files: { '.env': '' } },
    ])
      assert.throws(() => defineSkill({ ...fine, ...wrong }), { code: 'invalid_option' }, JSON.stringify(wrong))
    const skill = defineSkill(fine)
    assert.throws(() => skillTools([skill, skill]), { code: 'duplicate_name' })
    assert.throws(() => skillTools(Array.from({ length: 101 }, () => skill)), { code: 'invalid_option' })
    assert.throws(() => skillTools('skills' as never), { message: /loadSkills\(folder\)/ })
  })
})

const hum = defineSkill({ name: 'tune', description: 'Hums.', instructions: 'Hum.' })
const poem = defineSkill({ name: 'poem', description: 'Writes poems.', instructions: 'Rhyme.' })
const reads: ScriptedReply = { calls: [{ toolName: 'readSkill', input: { name: 'poem' } }] }

describe('an agent with skills', () => {
  test('is told of names and descriptions, and reads one when it needs it', async () => {
    const model = scriptedModel([reads, 'Roses are red.'])
    const session = new Agent({ name: 'bard', model, tools: { ...skillTools([poem, hum]) } }).session()
    const { messages } = await session.generate('A poem!')
    const [first] = model.requests
    assert.match(first?.system ?? '', /readSkill before they are used:\n- poem: Writes poems\.\n- tune: Hums\.$/)
    assert.ok(!JSON.stringify(first).includes('Rhyme'), 'nothing of a skill is shown before it is read')
    assert.equal(messages.find(({ role }) => role === 'tool')?.content, 'Rhyme.')
  })

  test('in a world by hand, beside one without: the list is of those that it can read', async () => {
    const model = scriptedModel(() => 'ok')
    const tools = createToolbox({ ...skillTools([poem]) })
    const world = new World({
      resources: { models: { m: model }, agents: { with: { tools }, without: {} } },
      systems: [skillDisclosure],
    })
    const [able, unable, barred] = ['with', 'without', 'with'].map((agent) =>
      world.spawn(LLM({ model: 'm', agent }), Conversation([user('Hi')])),
    )
    world.set(barred!, ToolRegistry, { names: [] })
    await run(world)
    assert.deepEqual(world.get(able!, Skills), [{ name: 'poem', description: 'Writes poems.' }])
    assert.deepEqual([world.get(unable!, Skills), world.get(barred!, Skills)], [undefined, undefined])
  })

  test('that come as a tool found in a folder are the same: what a tool brings comes with it', async () => {
    const [tool, skill] = ['./skill-tool.ts', './skill.ts'].map((name) => JSON.stringify(import.meta.resolve(name)))
    const text = `import { skillTools } from ${tool}
import { defineSkill } from ${skill}
export default skillTools([defineSkill({ name: 'poem', description: 'Writes poems.', instructions: 'Rhyme.' })])`
    const { tools } = await discoverTools({ folder: folderOf({ 'bard.tool.ts': text }) })
    const model = scriptedModel([reads, 'Roses are red.'])
    await new Agent({ name: 'bard', model, tools }).generate('A poem!')
    assert.match(model.requests[0]?.system ?? '', /- poem: Writes poems\.$/)
    assert.match(originOf(tools.get('readSkill')) ?? '', /\/bard\.tool\.ts$/)
    assert.equal(originOf(skillTools([poem]).readSkill), 'skills')
  })
})
