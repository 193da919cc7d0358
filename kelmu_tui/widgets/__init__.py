"""House widgets: they show what they are given and know no rule of Kelmu."""
