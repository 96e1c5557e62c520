import { canonicalize, schedule, kernelKey, dtypes } from '@athanor/core/backend';
import { allCases } from '@athanor/backend-conformance';
import { kernelSource, fileText } from './dist/codegen/kernel.js';
import { writeFileSync } from 'node:fs';
const limits = { buffersPerKernel: 64, storesPerKernel: 16, elements: 2 ** 31 - 1, dtypes: Object.keys(dtypes) };
const kernels = new Map();
for (const c of allCases()) { const p=c.build(); const g=canonicalize({outputs:p.outputs, assignments:p.assignments??[]}); for (const k of schedule(g, limits).kernels) if (k.kind!=='routine') kernels.set(kernelKey(k), k); }
for (const kind of ['loop','contract']) {
  const sources = new Map(); for (const k of kernels.values()) if (k.kind===kind) { const s=kernelSource(k,{vectorBytes:64}); if (s.phases.length) sources.set(s.text, s); }
  const list=[...sources.values()].map((source,i)=>({key:'x'+i, source}));
  const every = Math.ceil(list.length/100); const some=list.filter((_,i)=>i%every===0);
  console.log(kind, list.length, some.length, 'short', list.filter(x=>x.source.phases.reduce((s,p)=>s+p.nanoseconds,0)<4000).length);
  writeFileSync(`/tmp/nat/some-${kind}.c`, fileText(some));
}
