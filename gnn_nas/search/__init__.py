"""Architecture search: NAO on the pretrained controller, and the baselines it is compared with."""
