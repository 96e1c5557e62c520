import { allCases, titleOf } from '@athanor/backend-conformance';
import { canonicalize } from '@athanor/core/backend';
import { nativeBackend } from './dist/index.js';
import { check } from '/work/main/packages/backends/conformance/dist/run.js';
const [pattern='.', fuse='true', every='1', vb='64', threads='1'] = process.argv.slice(2);
const re = new RegExp(pattern);
const cases = allCases().filter((c,i)=> re.test(c.op)).filter((_,i)=>i%Number(every)===0);
const backend = nativeBackend({ fuse: fuse==='true', poison: true, vectorBytes: Number(vb), threads: Number(threads), delays: Number(threads)>1 });
let t = performance.now();
try { backend.prepare(cases.map(c=>c.build()).map(({outputs, assignments=[]})=>canonicalize({outputs,assignments}))); } catch (e) { console.log(e.message); process.exit(1); }
console.log(cases.length, 'cases; prepare', (performance.now()-t)|0, 'ms'); t=performance.now();
let bad=0; const ops={};
for (const c of cases) { let r; try { r = await check(backend, c.build(), c.tolerance); } catch (e) { r=[e.message+'\n'+e.stack?.split('\n')[1]]; }
  if (r.length) { bad++; ops[c.op+' '+c.dtype]=(ops[c.op+' '+c.dtype]??0)+1; if (bad<=12) console.log(titleOf(c), r[0]); } }
console.log('bad', bad, 'run', (performance.now()-t)|0, 'ms', ops);
backend.dispose();
