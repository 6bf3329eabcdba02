def in_persian(world):
    return world
