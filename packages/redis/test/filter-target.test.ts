import { describeLaw } from '../../core/test/filter/push-down-law.ts';
import { redisChannel } from '../src/filter-target.ts';

describeLaw(redisChannel);
