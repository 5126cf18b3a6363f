namespace Handbook.Foundation.Tests;

public class QuantityTests
{
    [Theory]
    [InlineData(0, "0 rows")]
    [InlineData(1, "1 row")]
    [InlineData(2, "2 rows")]
    [InlineData(12345, "12345 rows")]
    public void Of_Number_HasTheNounInItsForm(long count, string expected) => Assert.Equal(expected, Quantity.Of(count, "row"));

    [Fact]
    public void Of_IrregularNoun_TakesTheGivenPlural() =>
        Assert.Equal(("1 entry", "3 entries"), (Quantity.Of(1, "entry", "entries"), Quantity.Of(3, "entry", "entries")));
}
