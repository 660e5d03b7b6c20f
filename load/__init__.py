"""The load run: people at work on a site of their own, while parts of it are killed (`make load`).

`__main__` runs it, `site` starts and kills the parts, `population` makes people and Jobs, `people` is what each of them
does (it knows nothing but the pages), `browser` reads the pages for them, `verdict` compares what they were told with
what is in the database. Nothing of it is part of the product.
"""
