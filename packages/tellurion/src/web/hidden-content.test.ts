// Ways to put words into a page that people do not see and models would read: each must be gone. And what only looks like it:
// each must still be there.

import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { systemClock } from '../clock/clock.ts'
import { htmlText } from './html-text.ts'
import { createPageReader } from './page-reader.ts'

const reader = createPageReader({ deadline: 20_000, clock: systemClock })
after(() => reader.close())

const inline = (style: string): string => `<p>seen</p><p style="${style}">SECRET</p>`
const sheet = (rules: string, rest = '<p class="x" id="i">SECRET</p>'): string =>
  `<html><head><style>${rules}</style></head><body><p>seen</p>${rest}</body></html>`

/** No word of SECRET may come out of these. */
const hiding: Readonly<Record<string, string>> = {
  'large letters': inline('DISPLAY:NONE'),
  'blanks and a mark': inline('color: red; display  :  none  !important ;'),
  'a comment in it': inline('display:/**/none'),
  'an escape in it': inline('displa\\79: n\\6fne'),
  visibility: inline('visibility:hidden'),
  collapse: inline('visibility: collapse'),
  opacity: inline('opacity:0'),
  'hardly any opacity': inline('opacity: .01'),
  'opacity in per cent': inline('opacity: 0%'),
  'no size': inline('font-size:0'),
  'no size with a unit': inline('font-size: 0px'),
  'hardly any size': inline('font-size: 1px'),
  'size in the short form': inline('font: 0/0 a'),
  'no colour': inline('color: transparent'),
  'no colour in alpha': inline('color: rgba(0, 0, 0, 0)'),
  'no colour in digits': inline('color: #ffffff00'),
  'white on white': inline('color:#fff'),
  'white by name': inline('color: WHITE'),
  'nearly white': inline('color: rgb(253,254,255)'),
  'white by hue': inline('color: hsl(0, 0%, 100%)'),
  'black on black': inline('color:#000; background: black'),
  'on the ground of another':
    '<div style="background-color:#123456"><p>seen</p><span style="color:#123456">SECRET</span></div>',
  'an old font': '<p>seen</p><font color="#FFFFFF">SECRET</font>',
  'an old ground': '<table bgcolor="navy"><tr><td>seen</td><td><font color="#000080">SECRET</font></td></tr></table>',
  'out on the left': inline('position:absolute; left:-9999px'),
  'out above': inline('position: fixed; top: -200vh'),
  'out by its margin': inline('margin-left:-9999px'),
  'out by its indent': inline('text-indent: -9999px'),
  'out by a shift': inline('transform: translateX(-9999px)'),
  'shrunk to nothing': inline('transform: scale(0)'),
  'cut away': inline('position:absolute; clip: rect(0,0,0,0)'),
  'cut away by a path': inline('clip-path: inset(50%)'),
  'cut away by a circle': inline('clip-path: circle(0)'),
  'a box of nothing': inline('width:0;height:0;overflow:hidden'),
  'a box of a dot': inline('height:1px;overflow:hidden;width:1px'),
  'a box of no height': inline('max-height:0;overflow:clip'),
  'content that is not laid out': inline('content-visibility:hidden'),
  'a filter': inline('filter: opacity(0)'),
  'in the depth': '<p>seen</p><div style="display:none"><div><b>SECRET</b></div></div>',
  'by class': sheet('.x{display:none}'),
  'by class in large letters': sheet('.Xy{display:none}', '<p class="a Xy">SECRET</p>'),
  'by element in large letters': sheet('P.x, P>B{display:none}', '<P class="x">SECRET <B>SECRET</B></P>'),
  'by element alone': sheet('aside{display:none}', '<aside>SECRET</aside>'),
  'by all below': sheet('.box *{display:none}', '<div class="box"><p>SECRET</p></div>'),
  'by neighbours': sheet('h2+p{display:none}', '<h2>seen</h2><p>SECRET</p>'),
  'by id': sheet('#i { visibility : hidden }'),
  'by a path': sheet('body > p.x{opacity:0}'),
  'by one of many': sheet('a, .y, .x { font-size:0 }'),
  'by an attribute': sheet('[class~="x"]{display:none}'),
  'by a rule for screens': sheet('@media screen{.x{display:none}}'),
  'by a rule for every width': sheet('@media (min-width:0) and (max-width: 9999px){.x{display:none}}'),
  'by a rule for paper and screens': sheet('@media print, only screen and (min-width: 40em){.x{display:none}}'),
  'by a rule in a layer': sheet('@layer a{.x{display:none}}'),
  'by the later rule': sheet('.x{display:block}.x{display:none}'),
  'by the stronger rule': sheet('#i{display:none}.x{display:block}'),
  'by the rule with a mark': sheet('.x{display:none!important}#i{display:block}'),
  'by colours of a sheet': sheet('.x{color:#fff}'),
  'by a ground of a sheet': sheet('body{background:#000;color:#fff}.x{color:#000}'),
  'by a variable': sheet(':root{--c:#fff}.x{color:var(--c)}'),
  'an attribute': '<p>seen</p><p hidden>SECRET</p>',
  'an attribute that waits to be found': '<p>seen</p><p hidden="until-found">SECRET</p>',
  'a dialog': '<p>seen</p><dialog>SECRET</dialog>',
  'a popover': '<p>seen</p><div popover>SECRET</div>',
  'a comment': '<p>seen</p><!-- SECRET -->',
  'a comment that is none': '<p>seen</p><!-- x --!><!-- SECRET -->',
  'a section of data': '<p>seen</p><![CDATA[ SECRET ]]>',
  'what is shown without frames': '<p>seen</p><noframes>SECRET</noframes>',
  'what is shown without video': '<p>seen</p><video>SECRET</video><audio>SECRET</audio>',
  'a list of suggestions': '<p>seen</p><datalist><option>SECRET</datalist>',
  'an annotation': '<p>seen</p><math><semantics><mi>x</mi><annotation>SECRET</annotation></semantics></math>',
  'a title': '<p title="SECRET">seen <abbr title="SECRET">a</abbr> <a href="/x" title="SECRET">b</a></p>',
  'attributes of all kinds': '<p data-x="SECRET" aria-label="SECRET">seen <input type="hidden" value="SECRET"></p>',
  'a template': '<p>seen</p><template>SECRET</template>',
}

/** SEEN must come out of these. */
const showing: Readonly<Record<string, string>> = {
  'a page that shows itself when it has come':
    '<html><head><style>body{opacity:0}</style></head><body><p>SEEN</p></body></html>',
  'a class of another case': sheet('.XY{display:none}', '<p class="xy">SEEN</p>'),
  'a narrow screen': sheet('@media (max-width:600px){.x{display:none}}', '<p class="x">SEEN</p>'),
  paper: sheet('@media print{.x{display:none}}', '<p class="x">SEEN</p>'),
  'a state': sheet('.x:hover{display:none} .x:not(.y){opacity:0}', '<p class="x">SEEN</p>'),
  'a later rule': sheet('.x{display:none}.x{display:block}', '<p class="x">SEEN</p>'),
  'a stronger rule': sheet('#i{display:block}.x{display:none}', '<p class="x" id="i">SEEN</p>'),
  'its own style': sheet('.x{display:none}', '<p class="x" style="display:block">SEEN</p>'),
  'seen in what is not': '<div style="visibility:hidden">no<p style="visibility:visible">SEEN</p></div>',
  'large in what is small': '<ul style="font-size:0"><li style="font-size:16px">SEEN</li></ul>',
  'white on black': '<body bgcolor=black><p style="color:white">SEEN</p></body>',
  'white on a picture': '<div style="background:url(x.png)"><p style="color:white">SEEN</p></div>',
  'white on what another sheet says':
    '<html><head><link rel="stylesheet" href="a.css"></head><body><p style="color:#fff">SEEN</p></body></html>',
  'half seen': inline('opacity:.5').replace('SECRET', 'SEEN'),
  'a small box that may overflow': inline('height:0').replace('SECRET', 'SEEN'),
  'a margin of some size': inline('margin-left:-20px;left:-10px').replace('SECRET', 'SEEN'),
  'a frame of an animation': sheet(
    '@keyframes a{from{opacity:0}to{opacity:1}} .x{animation:a 1s}',
    '<p class="x">SEEN</p>',
  ),
  'a sheet that is broken': sheet('.x{{{ } @media { @@ display:none; .', '<p class="x">SEEN</p>'),
  'selectors that are none': sheet('..x, >, [, p:nope(){display:none}', '<p class="x">SEEN</p>'),
  'a sheet for another medium':
    '<html><head><style media=print>.x{display:none}</style></head><body><p class=x>SEEN</p></body></html>',
}

const read = async (html: string): Promise<string> => {
  const { title, markdown, plain } = await reader.read({ html, url: 'https://example.com/', part: 'page' }, {})
  assert.equal(plain, false)
  return `${title}\n${markdown}`
}

describe('what nobody sees', () => {
  for (const [name, html] of Object.entries(hiding)) {
    test(`${name} is gone`, async () => {
      const text = await read(html)
      assert.match(text, /seen/)
      assert.doesNotMatch(text, /SECRET/)
    })
  }

  for (const [name, html] of Object.entries(showing)) {
    test(`${name} stays`, async () => assert.match(await read(html), /SEEN/))
  }

  test('pages that no parser takes are told without what their elements hide', () => {
    const gone = Object.entries(hiding).filter(
      ([, html]) =>
        /style="[^"]*(?:display|visibility|opacity|font-size)|hidden>/i.test(html) && !/\\|<style/.test(html),
    )
    assert.ok(gone.length > 8)
    for (const [name, html] of gone) {
      const text = htmlText(`${html}<p>after</p>`)
      assert.match(text, /seen[^]*after/, name)
      assert.doesNotMatch(text, /SECRET/, name)
    }
    assert.equal(htmlText('<div hidden>a<div>b</div>c</div>d<br hidden>e<p hidden>f'), 'd\ne')
  })

  test('a sheet of a hundred thousand rules costs no more than its share', async () => {
    const rules = Array.from({ length: 100_000 }, (_, index) => `.a${index} .b${index}>p{display:none}`).join('')
    const start = systemClock.monotonic()
    assert.match(await read(sheet(rules, '<p class="x">SEEN</p>')), /SEEN/)
    assert.ok(systemClock.monotonic() - start < 60_000)
  })
})
