import { describeStory } from "./telling.ts";

describeStory("e2e");
