/** Every peer that there is, opened or with the reason why not. */
import { type AbsentPeer, type Peer, reasonOf } from '../contender.js';
import { openJax } from './jax.js';
import { arePeersInstalled, NOT_INSTALLED } from './load.js';
import { openPytorch } from './pytorch.js';
import { openTfjs } from './tfjs.js';
import { provideNavigator } from './webgpuGlobals.js';

interface Opener {
  readonly name: string;
  readonly isPackage: boolean;
  open(): Promise<Peer>;
}

/**
 * Opens the peers; those on WebGPU open their own device on the adapter that `openDevice` takes. Call it after a device
 * was opened.
 *
 * @param python the command whose PyTorch is measured
 */
export async function openPeers(python: string): Promise<(Peer | AbsentPeer)[]> {
  provideNavigator();
  const openers: readonly Opener[] = [
    ...(['webgpu', 'wasm'] as const).map((backend) => ({
      name: `jax-js ${backend}`,
      isPackage: true,
      open: () => openJax(backend),
    })),
    ...(['webgpu', 'wasm', 'cpu'] as const).map((backend) => ({
      name: `tfjs ${backend}`,
      isPackage: true,
      open: () => openTfjs(backend),
    })),
    { name: 'pytorch cpu', isPackage: false, open: () => openPytorch(python) },
  ];
  const isInstalled = arePeersInstalled();
  const peers: (Peer | AbsentPeer)[] = [];
  for (const { name, isPackage, open } of openers) {
    if (isPackage && !isInstalled) {
      peers.push({ name, why: NOT_INSTALLED });
      continue;
    }
    try {
      peers.push(await open());
    } catch (error) {
      peers.push({ name, why: reasonOf(error) });
    }
  }
  return peers;
}
