import { canonicalize, build, combine, move, gradient, explainProgram } from '@athanor/core/backend';
import { nativeBackend } from './dist/index.js';
const [only='.', threads='1', ms='400', vb='64', ex=''] = process.argv.slice(2);
const backend = nativeBackend({ threads: Number(threads), vectorBytes: Number(vb) });
const rnd = (n) => { const a = new Float32Array(n); let s=1; for (let i=0;i<n;i++) { s=(s*1664525+1013904223)>>>0; a[i]=s/2**32-.5; } return a; };
let id=1;
const variable = (shape) => ({ id: id++, name: 'v'+id, shape, dtype: 'float32' });
const V = (slot) => build.read(slot, 0);
const bin=(op,a,b)=>build.apply(op,a, typeof b==='number'? move.expand(move.reshape(build.constant(b,'float32'), a.shape.map(()=>1)), a.shape) : move.expand(b,a.shape));
const un=(op,a)=>build.apply(op,a);
const red=(op,x,...axes)=>build.reduce(op,x,axes);
const mean=(x,...axes)=>bin('mul',red('sum',x,...axes),1/axes.reduce((p,a)=>p*x.shape[a],1));
const std=(x,...axes)=>{ const d=bin('sub',x,mean(x,...axes)); const v=mean(bin('mul',d,d),...axes); return bin('div',d,un('sqrt',bin('add',v,1e-5))); };
const dot=(a,b,ca,cb,batch=[])=>combine.dot(a,b,{batch,contract:[[ca,cb]],combine:'multiply-add'});
const conv=(x,w,stride=[1,1],pad=[[1,1],[1,1]])=>combine.conv(x,w,{stride,padding:pad,inputDilation:[1,1],kernelDilation:[1,1],combine:'multiply-add'});
const N=(s)=>s.reduce((a,b)=>a*b,1);
function run(name, make, unit, amount) {
  if (!new RegExp(only).test(name)) return;
  const slots=[]; const leaf=(...shape)=>{ const v=variable(shape); slots.push(v); return V(v); };
  const outs = make(leaf);
  const outv = outs.map(o=>variable(o.shape));
  const graph = canonicalize({ outputs: [], assignments: outs.map((value,i)=>({variable: outv[i], value})) });
  let t=performance.now(); const exe = backend.compile(graph); const ct=performance.now()-t;
  if (ex) console.log(explainProgram(exe.program));
  const mem = graph.variables.map(v=>{ const m=backend.allocate(N(v.shape)*4); backend.write(m, rnd(N(v.shape))); return m; });
  const binding={inputs:[],variables:mem,outputs:[]};
  backend.run(exe,binding);
  let best=Infinity; const stop=performance.now()+Number(ms); let n=0;
  while (performance.now()<stop || n<3) { const t=performance.now(), c=process.cpuUsage(); backend.run(exe,binding); const d=process.cpuUsage(c), w=performance.now()-t; best=Math.min(best,w,w>3&&Number(threads)===1?(d.user+d.system)/1000:w); n++; }
  console.log(name.padEnd(26), best.toFixed(3).padStart(9),'ms', (amount/best/1e6).toFixed(1).padStart(7), unit, ' commands', exe.program.commands.length, 'compile', ct|0, 'ms');
  for (const m of mem) backend.free(m);
}
for (const s of [128,256,512,1024]) run(`NN-${s}`, l=>[dot(l(s,s),l(s,s),1,0)], 'GFLOP/s', 2*s**3);
run('TN-512', l=>[dot(l(512,512),l(512,512),0,0)], 'GFLOP/s', 2*512**3);
run('NT-512', l=>[dot(l(512,512),l(512,512),1,1)], 'GFLOP/s', 2*512**3);
run('conv3-forward', l=>[conv(l(32,1,64,32,32),l(1,64,64,3,3))], 'GFLOP/s', 2.416e9);
run('conv3-train', l=>{const x=l(32,1,64,32,32),w=l(1,64,64,3,3); const y=conv(x,w); const g=l(...y.shape); return [y,...gradient(y,g,[x,w])];}, 'GFLOP/s', 7.248e9);
run('conv3-dx', l=>{const x=l(32,1,64,32,32),w=l(1,64,64,3,3); const y=conv(x,w); const g=l(...y.shape); return gradient(y,g,[x]);}, 'GFLOP/s', 2.416e9);
run('conv3-dw', l=>{const x=l(32,1,64,32,32),w=l(1,64,64,3,3); const y=conv(x,w); const g=l(...y.shape); return gradient(y,g,[w]);}, 'GFLOP/s', 2.416e9);
run('conv5-train', l=>{const x=l(128,1,1,28,28),w=l(1,6,1,5,5); const y=conv(x,w); const g=l(...y.shape); return [y,...gradient(y,g,[x,w])];}, 'GFLOP/s', 3*2*128*6*24*24*25);
for (const [c,s] of [[16,32],[32,16],[64,8]]) { const f=2*128*c*c*9*s*s; run(`res${c}-fwd`, l=>[conv(l(128,1,c,s,s),l(1,c,c,3,3))],'GFLOP/s',f);
 run(`res${c}-dx`, l=>{const x=l(128,1,c,s,s),w=l(1,c,c,3,3),y=conv(x,w),g=l(...y.shape);return gradient(y,g,[x]);},'GFLOP/s',f);
 run(`res${c}-dw`, l=>{const x=l(128,1,c,s,s),w=l(1,c,c,3,3),y=conv(x,w),g=l(...y.shape);return gradient(y,g,[w]);},'GFLOP/s',f); }
run('res-s2-train', l=>{const x=l(128,1,16,32,32),w=l(1,32,16,3,3),y=conv(x,w,[2,2]),g=l(...y.shape);return [y,...gradient(y,g,[x,w])];},'GFLOP/s',3*2*128*32*16*9*256);
run('dense-skinny', l=>[dot(l(8192,768),l(10,768),1,1)],'GFLOP/s',2*8192*768*10);
run('dense-mlp', l=>[dot(l(128,784),l(512,784),1,1)],'GFLOP/s',2*128*784*512);
run('attention', l=>[dot(l(256,49,32),l(256,49,32),2,2,[[0,0]])],'GFLOP/s',2*256*49*49*32);
for (const [nm,n] of [['64K',65536],['1M',1<<20],['16M',1<<24]]) {
 run(`axpb-${nm}`, l=>[bin('add',bin('mul',l(n),1.5),.25)],'GB/s',8*n);
 run(`gelu-${nm}`, l=>{const x0=l(n); const x=bin('add',bin('mul',x0,1.5),.25); const inner=bin('mul',bin('add',x,bin('mul',bin('mul',bin('mul',x,x),x),.044715)),.7978845608); return [bin('mul',bin('mul',x,.5),bin('add',un('tanh',inner),1))];},'GB/s',8*n);
 run(`exp-${nm}`, l=>[un('exp',l(n))],'GB/s',8*n);
 run(`sum-${nm}`, l=>[red('sum',l(n),0)],'GB/s',4*n);
}
run('bn', l=>{const x=l(128,64,32,32),g=l(1,64,1,1),b=l(1,64,1,1); const y=bin('add',bin('mul',std(x,0,2,3),g),b); const dy=l(...y.shape); return [y,...gradient(y,dy,[x,g,b])];},'GB/s(5 passes)',5*4*128*64*1024);
run('ln', l=>{const x=l(8192,768),g=l(1,768),b=l(1,768); const y=bin('add',bin('mul',std(x,1),g),b); const dy=l(...y.shape); return [y,...gradient(y,dy,[x,g,b])];},'GB/s(4)',4*4*8192*768);
run('softmax', l=>{const x=l(4096,1024); const e=un('exp',bin('sub',x,red('maxReduce',x,1))); const y=bin('div',e,red('sum',e,1)); const dy=l(...y.shape); return [y,...gradient(y,dy,[x])];},'GB/s(4)',4*4*4096*1024);
run('sum0', l=>[red('sum',l(8192,768),0)],'GB/s',4*8192*768);
run('relu', l=>[bin('max',l(1<<20),0)],'GB/s',8<<20);
run('adam', l=>{const p=l(1<<20),m=l(1<<20),v=l(1<<20),g=l(1<<20); const m2=bin('add',bin('mul',m,.9),bin('mul',g,.1)); const v2=bin('add',bin('mul',v,.999),bin('mul',bin('mul',g,g),.001)); return [bin('sub',p,bin('div',bin('mul',m2,1e-3),bin('add',un('sqrt',v2),1e-8))),m2,v2];},'GB/s',28<<20);
run('maxpool', l=>{const x=l(128,16,32,32); const w=move.window(move.window(x,2,{size:2,stride:2}),3,{size:2,stride:2}); return [red('maxReduce',w,4,5)]; },'GB/s',5*128*16*1024);
backend.dispose();
