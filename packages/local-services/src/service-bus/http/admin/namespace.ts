import type { Reply } from '../../../http/index.ts';
import { namespaceName } from '../atom/context.ts';
import { formatTime } from '../atom/times.ts';
import type { Call } from '../call.ts';
import { add } from '../xml/write.ts';
import { READ_REFUSAL } from './entity.ts';
import { entryReply } from './entries.ts';

/** @param startedAtMs when the namespace came to be, epoch ms */
export async function getNamespace(call: Call, startedAtMs: number): Promise<Reply> {
  await call.authorize('manage', READ_REFUSAL);
  const name = namespaceName(call.context);
  const { tier } = call.broker.limits;
  const entry = {
    path: '$namespaceinfo',
    title: name,
    createdAtMs: undefined,
    updatedAtMs: call.broker.now(),
    hasAuthor: true,
    element: 'NamespaceInfo',
    describe: (info: Parameters<typeof add>[0]) => {
      add(info, 'CreatedTime', formatTime(startedAtMs));
      add(info, 'MessagingSKU', tier[0]!.toUpperCase() + tier.slice(1));
      if (tier === 'premium') add(info, 'MessagingUnits', '1');
      add(info, 'ModifiedTime', formatTime(startedAtMs));
      add(info, 'Name', name);
      add(info, 'NamespaceType', 'Messaging');
    },
  };
  return entryReply(200, entry, call.context);
}
