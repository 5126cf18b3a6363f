using System.Text.Json.Nodes;

namespace Handbook.Templates.Tests;

/// <summary>
/// Python's methods and Jinja2's objects that templates can reach; what is expected was said by CPython 3.11 with Jinja2 3.1.6.
/// </summary>
public sealed class PythonSurfaceTests
{
    private static string Render(string source)
    {
        var variables = new TemplateVariables().Set("s", "Hello W\u00F6rld \U0001F600").Set("n", JsonNode.Parse("-7"))
            .Set("f", JsonNode.Parse("2.5"))
            .Set("d", JsonNode.Parse("""{"b":1,"a":{"x":[1,null,true]}}""")).Set("l", JsonNode.Parse("[3,1,2]"));
        try
        {
            return Template.Parse(source).Render(variables).Text;
        }
        catch (TemplateException error)
        {
            return $"{error.Kind}: {error.Reason}";
        }
    }

    [Theory]
    [InlineData("{{ s.encode() }}", @"b'Hello W\xc3\xb6rld \xf0\x9f\x98\x80'")]
    [InlineData("{{ s.encode('ascii') }}",
        @"UnicodeEncodeError: 'ascii' codec can't encode character '\xf6' in position 7: ordinal not in range(128)")]
    [InlineData("{{ s.encode('latin-1') }}",
        @"UnicodeEncodeError: 'latin-1' codec can't encode character '\U0001f600' in position 12: ordinal not in range(256)")]
    [InlineData("{{ s.encode('ascii', 'ignore') }}", "b'Hello Wrld '")]
    [InlineData("{{ s.encode(errors='replace', encoding='US_ASCII') }}", "b'Hello W?rld ?'")]
    [InlineData("{{ s.encode('ascii', 'xmlcharrefreplace') }}", "b'Hello W&#246;rld &#128512;'")]
    [InlineData("{{ s.encode('ascii', 'backslashreplace') }}", @"b'Hello W\\xf6rld \\U0001f600'")]
    [InlineData("{{ s[-1].encode('utf-16') }}", @"b'\xff\xfe=\xd8\x00\xde'")]
    [InlineData("{{ 'a'.encode('utf-32-be') }}", @"b'\x00\x00\x00a'")]
    [InlineData("{{ 'a'.encode('utf-8-sig') }}", @"b'\xef\xbb\xbfa'")]
    [InlineData("{{ s.encode('nope') }}", "LookupError: unknown encoding: nope")]
    [InlineData("{{ s.encode()|length }} {{ s.encode()[0] }} {{ s.encode()[:5] }} {{ s.encode()[:3]|list }}",
        "17 72 b'Hello' [72, 101, 108]")]
    [InlineData("{{ s.encode().decode() }} {{ s.encode('utf-16').decode('utf-16') }}",
        "Hello W\u00F6rld \U0001F600 Hello W\u00F6rld \U0001F600")]
    [InlineData("{{ s.encode().decode('ascii') }}",
        "UnicodeDecodeError: 'ascii' codec can't decode byte 0xc3 in position 7: ordinal not in range(128)")]
    [InlineData("{{ s.encode()[:14].decode() }}",
        "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xf0 in position 13: unexpected end of data")]
    [InlineData("{{ s.encode().decode('ascii', 'ignore') }}", "Hello Wrld ")]
    [InlineData("{{ 'ab'.encode().hex() }} {{ 'abc'.encode().hex('-', 2) }}", "6162 61-6263")]
    [InlineData("{{ 'ab'.encode() == 'ab'.encode() }} {{ 'ab'.encode() == 'ab' }} {{ {'ab'.encode(): 1} }}", "True False {b'ab': 1}")]
    [InlineData("{{ 'ab'.encode() + 'c'.encode() * 2 }} {{ 97 in 'a'.encode() }}", "b'abcc' True")]
    [InlineData("{{ 'a'.encode() + 'c' }}", "TypeError: can't concat str to bytes")]
    [InlineData("{{ 'a' in 'a'.encode() }}", "TypeError: a bytes-like object is required, not 'str'")]
    [InlineData("{{ 'ab'.encode()|tojson }}", "TypeError: Object of type bytes is not JSON serializable")]
    [InlineData("{{ s.encode().title() }} {{ s.encode().upper() }}",
        @"b'Hello W\xc3\xb6Rld \xf0\x9f\x98\x80' b'HELLO W\xc3\xb6RLD \xf0\x9f\x98\x80'")]
    [InlineData("{{ 'a b'.encode().split() }} {{ 'a-b'.encode().partition('-'.encode()) }} {{ 'ab'.encode().find(98) }}",
        "[b'a', b'b'] (b'a', b'-', b'b') 1")]
    [InlineData("{{ 'ab'.encode().index('c'.encode()) }}", "ValueError: subsection not found")]
    [InlineData("{{ '-'.encode().join(['a'.encode(), 'b'.encode()]) }} {{ 'ab'.encode().replace('a'.encode(), 'x'.encode()) }}",
        "b'a-b' b'xb'")]
    [InlineData("{{ 'ab'.encode().translate(none, 'a'.encode()) }}", "b'b'")]
    public void Bytes(string source, string expected) => Assert.Equal(expected, Render(source));

    [Theory]
    [InlineData("{{ s.translate({72: 'J', 101: none, 108: 76}) }}", "JLLo W\u00F6rLd \U0001F600")]
    [InlineData("{{ s.maketrans('lo', '01') }} {{ s.translate(s.maketrans('lo', '01', 'H')) }}",
        "{108: 48, 111: 49} e001 W\u00F6r0d \U0001F600")]
    [InlineData("{{ s.translate(s.maketrans({'l': 'LL', 'o': none})) }}", "HeLLLL W\u00F6rLLd \U0001F600")]
    [InlineData("{{ s.maketrans('ab', 'c') }}", "ValueError: the first two maketrans arguments must have equal length")]
    [InlineData("{{ 'ab'.translate({97: 1114112}) }}", "ValueError: character mapping must be in range(0x110000)")]
    [InlineData("{{ '%a' % s }} {{ '{!a}'.format(s) }}", @"'Hello W\xf6rld \U0001f600' 'Hello W\xf6rld \U0001f600'")]
    [InlineData("{{ '{:08,}'.format(1234) }} {{ '{:07,}'.format(1234) }} {{ '{:04,}'.format(1) }} {{ '{:_b}'.format(300) }}",
        "0,001,234 001,234 0,001 1_0010_1100")]
    [InlineData("{{ 'H-e-l-l-o- -W'|wordwrap(4) }}", "H-e-\nl-\nl-o-\n-W")]
    [InlineData("{{ 'a-b-c-d-e'|wordwrap(5) }}", "a-b-\nc-d-e")]
    [InlineData("{{ 'ab--cd e--f'|wordwrap(4) }}", "ab--\ncd e\n--f")]
    [InlineData("{{ 'abc-def-ghi'|wordwrap(4, break_on_hyphens=false) }}", "abc-\ndef-\nghi")]
    [InlineData("{{ ('a'|escape)|title|pprint }} {{ '<b>a</b>'|striptags|pprint }}", "'A' 'a'")]
    public void Texts(string source, string expected) => Assert.Equal(expected, Render(source));

    [Theory]
    [InlineData("{{ n.as_integer_ratio() }} {{ n.bit_count() }} {{ n.conjugate() }}", "(-7, 1) 3 -7")]
    [InlineData(
        "{{ n.to_bytes(2, 'big', signed=true) }} {{ (5).to_bytes() }} {{ n.from_bytes([1, "
        + "2]) }} {{ n.from_bytes([255, 254], 'little', signed=true) }}", @"b'\xff\xf9' b'\x05' 258 -257")]
    [InlineData("{{ n.to_bytes(2) }}", "OverflowError: can't convert negative int to unsigned")]
    [InlineData("{% set x = 10 ** 30 %}{{ x.to_bytes(2) }}", "OverflowError: int too big to convert")]
    [InlineData("{{ f.as_integer_ratio() }} {{ f.hex() }} {{ f.fromhex('-0x1.fp-3') }} {{ f.fromhex('inf') }}",
        "(5, 2) 0x1.4000000000000p+1 -0.2421875 inf")]
    [InlineData("{{ f.fromhex('zz') }}", "ValueError: invalid hexadecimal floating-point string")]
    [InlineData("{{ 10 ** 400 / 10 ** 399 }}", "10.0")]
    public void Figures(string source, string expected) => Assert.Equal(expected, Render(source));

    [Theory]
    [InlineData("{% macro m(a, b=1) %}{% endmacro %}{{ m.arguments }} {{ m.arguments|length }} {{ m.name }}", "('a', 'b') 2 m")]
    [InlineData("{% macro m() %}{{ caller.arguments }}{% endmacro %}{% call(x) m() %}{% endcall %}", "('x',)")]
    [InlineData("{% set j = joiner('|') %}{{ j() }}{{ j() }}{{ j.sep }}{{ j.used }}", "||True")]
    [InlineData("{{ d.keys().isdisjoint(['c']) }} {{ d.items().isdisjoint([('b', 1)]) }} {{ d.keys().mapping }}",
        "True False {'b': 1, 'a': {'x': [1, None, True]}}")]
    [InlineData("{{ d.keys() == d.keys() }} {{ d.items() == d.items() }} {{ d.values() == d.values() }}", "True True False")]
    [InlineData("{{ dict.fromkeys('ab') }} {{ dict(a=1) }}", "{'a': None, 'b': None} {'a': 1}")]
    [InlineData("{{ ('<b>a&lt;</b>'|safe).striptags() }} {{ ('&lt;'|safe).unescape() }} {{ ('<'|escape).join(['<', 'b'|safe]) }}",
        "a< < &lt;&lt;b")]
    [InlineData("{{ ('%s'|safe) % '<' }} {{ ('{}'|safe).format('<') }} {{ ('a,b'|safe).split(',') }}",
        "&lt; &lt; [Markup('a'), Markup('b')]")]
    public void Objects(string source, string expected) => Assert.Equal(expected, Render(source));
}
